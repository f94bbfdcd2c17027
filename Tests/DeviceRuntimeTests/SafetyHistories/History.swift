import DeviceRuntime
import HAL
import TestNumbers

/// What can happen to an output, to its gate and around them.
enum Step: Equatable {
  case wish(Bool, CommandSource)
  /// Time passes, and the loop runs at each deadline.
  case pass(Duration)
  /// Time passes, and the loop is held up until the end of it.
  case jump(Duration)
  /// The loop runs at the next deadline and at no other moment.
  case untilDue
  /// Time passes until a nanosecond before the next deadline.
  case almostDue
  case lost(SafetyParty)
  case found(SafetyParty)
  /// From now on the line refuses every value.
  case lineFails
  case lineRecovers
  /// The chip behind the bus has what was asked for.
  case busConfirms
  /// The chip has not acknowledged, whether it has the value or not.
  case busFails(forgets: Bool)
  case stop
}

/// An output's life: its policy, its kind of line, and what happens.
struct History {
  var policy = SafetyPolicy()
  /// The line is behind a bus: its values arrive later.
  var isQueued = false
  var steps: [Step] = []
}

extension History {
  static let times: [Duration] = [
    .zero, .milliseconds(1), .milliseconds(999), .seconds(1), .seconds(2), .seconds(60), .seconds(1_800),
    .seconds(86_400),
  ]

  /// The same history for the same number.
  init(number: UInt64, steps count: Int) {
    var random = SplitMix(state: number)
    policy = SafetyPolicy(
      start: random.flip(), stop: random.flip(3) ? nil : random.flip(), brokerLost: .random(&random),
      controllerLost: .random(&random), maxOn: random.flip() ? random.time() : nil)
    isQueued = random.flip(3)
    steps.reserveCapacity(count)
    // A stop is the end of all that is interesting: seldom, and late.
    let end = random.flip(4) ? count - 1 - random.below(count / 4) : count
    for index in 0..<count { steps.append(index == end ? .stop : .random(&random)) }
  }
}

extension SafetyPolicy.Lost {
  fileprivate static func random(_ random: inout SplitMix) -> SafetyPolicy.Lost? {
    if random.flip() { return nil }
    return SafetyPolicy.Lost(after: random.time(), then: random.flip(), exceptPerson: random.flip())
  }
}

extension Step {
  fileprivate static func random(_ random: inout SplitMix) -> Step {
    switch random.below(24) {
    case 0..<7: .wish(random.flip(), sources[random.below(4)])
    case 7..<9: .pass(random.time())
    case 9: .jump(random.time())
    case 10..<12: .untilDue
    case 12: .almostDue
    case 13..<15: .lost(random.flip(3) ? .controller : .broker)
    case 15..<17: .found(random.flip(3) ? .controller : .broker)
    case 17: .lineFails
    case 18..<20: .lineRecovers
    case 20..<23: .busConfirms
    default: .busFails(forgets: random.flip())
    }
  }

  private static let sources: [CommandSource] = [.broker, .person, .rule, .module]
}

extension SplitMix {
  fileprivate mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
  fileprivate mutating func flip(_ oneOf: Int = 2) -> Bool { below(oneOf) == 0 }
  fileprivate mutating func time() -> Duration { History.times[below(History.times.count)] }
}

/// A history as it can be pasted into a test.
extension History: CustomStringConvertible {
  var description: String {
    """
    History(
      policy: SafetyPolicy(
        start: \(policy.start), stop: \(Self.text(policy.stop)), brokerLost: \(Self.text(policy.brokerLost)),
        controllerLost: \(Self.text(policy.controllerLost)), maxOn: \(Self.text(policy.maxOn))),
      isQueued: \(isQueued),
      steps: [\(steps.map(Self.text).joined(separator: ", "))])
    """
  }

  private static func text(_ step: Step) -> String {
    switch step {
    case .wish(let active, let source): ".wish(\(active), .\(source))"
    case .pass(let time): ".pass(\(text(time)))"
    case .jump(let time): ".jump(\(text(time)))"
    case .busFails(let forgets): ".busFails(forgets: \(forgets))"
    case .lost(let party): ".lost(.\(party))"
    case .found(let party): ".found(.\(party))"
    default: ".\(step)"
    }
  }

  private static func text(_ value: Bool?) -> String { value.map { "\($0)" } ?? "nil" }
  private static func text(_ time: Duration?) -> String {
    guard let time else { return "nil" }
    return time.milliseconds % 1_000 == 0
      ? ".seconds(\(time.milliseconds / 1_000))" : ".milliseconds(\(time.milliseconds))"
  }
  private static func text(_ lost: SafetyPolicy.Lost?) -> String {
    guard let lost else { return "nil" }
    return
      "SafetyPolicy.Lost(after: \(text(lost.after)), then: \(lost.then), exceptPerson: \(lost.exceptPerson))"
  }
}
