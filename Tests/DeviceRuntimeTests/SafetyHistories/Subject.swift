import HAL
import MQTTClient
import Simulation

@testable import DeviceRuntime

/// An output line of the kernel or behind a bus, which remembers what it was told since that was last taken.
final class HistoryLine: OutputLine {
  private(set) var level: OutputLevel
  var observer: (any OutputLineObserver)?
  /// What the output really does.
  private(set) var isOn: Bool
  var fails = false
  var tries: [Try] = []
  private let isQueued: Bool

  struct Try {
    let active: Bool
    let failed: Bool
    /// What was known of the line after it.
    let level: OutputLevel
  }

  init(isQueued: Bool, start: Bool) {
    self.isQueued = isQueued
    isOn = start
    level = isQueued ? .pending(start) : .driven(start)
  }

  func set(active: Bool) throws(LineError) {
    if !fails {
      level = isQueued ? .pending(active) : .driven(active)
      if !isQueued { isOn = active }
    }
    tries.append(Try(active: active, failed: fails, level: level))
    if fails { throw .busy }
  }

  func confirm() {
    guard case .pending(let active) = level else { return }
    isOn = active
    level = .driven(active)
    observer?.outputDriven()
  }

  /// The worst: the chip has the value, and nobody knows.
  func lose(forgets: Bool) {
    guard case .pending(let active) = level else { return }
    isOn = active
    if forgets { level = .unknown }
    observer?.outputFailed(.bus(.noAcknowledge))
  }
}

/// What became of a wish.
enum Answer: Equatable {
  case obeyed
  case failed
  case refused(SafetyRefusal)
}

/// What lives through a history. All that is due now has been done when a call returns.
protocol Subject: AnyObject {
  init(_ policy: SafetyPolicy, _ line: HistoryLine, _ clock: VirtualClock)
  func wish(_ active: Bool, by source: CommandSource) -> Answer
  func lost(_ party: SafetyParty)
  func found(_ party: SafetyParty)
  func stop()
  /// The loop runs, because time has passed.
  func turn()
  var deadline: Instant? { get }
}

/// The rules, with as little around them as they can do with.
class RulesSubject: Subject, OutputLineObserver {
  let policy: SafetyPolicy
  let line: HistoryLine
  let clock: VirtualClock
  var rules: SafetyRules

  required init(_ policy: SafetyPolicy, _ line: HistoryLine, _ clock: VirtualClock) {
    self.policy = policy
    self.line = line
    self.clock = clock
    rules = SafetyRules(policy)
    line.observer = self
    learn()
    turn()
  }

  var deadline: Instant? { rules.deadline(now: clock.now) }

  func wish(_ active: Bool, by source: CommandSource) -> Answer {
    var answer = Answer.obeyed
    if case .refuse(let refusal) = rules.verdict(for: active, by: source, now: clock.now) {
      answer = .refused(refusal)
    } else if !set(active) {
      answer = .failed
    }
    turn()
    return answer
  }

  func lost(_ party: SafetyParty) {
    rules.lost(party, now: clock.now)
    turn()
  }

  func found(_ party: SafetyParty) {
    rules.found(party)
    turn()
  }

  func stop() {
    rules.stopped()
    if let stop = policy.stop { _ = set(stop) }
  }

  func turn() {
    var count = 0
    while count < 10, let act = rules.takeAct(now: clock.now) {
      perform(act)
      count += 1
    }
  }

  func perform(_ act: SafetyRules.Act) { _ = set(act.active) }

  func learn() { rules.learned(line.level, now: clock.now) }

  func outputDriven() {
    learn()
    turn()
  }

  func outputFailed(_ error: LineError) {
    learn()
    turn()
  }

  final func set(_ active: Bool) -> Bool {
    do throws(LineError) {
      try line.set(active: active)
    } catch {
      return false
    }
    rules.switched(to: active, level: line.level, now: clock.now)
    return true
  }
}

/// The gate itself, on a device that is never connected.
final class GateSubject: Subject {
  private let gate: SafetyGate
  private let device: Device
  private let module = Owner()
  private(set) var deadline: Instant?

  private final class Owner: Module {
    let name = "output"
  }

  private final class Silence: Log {
    let level = LogLevel.error
    func write(_ level: LogLevel, _ text: FixedText) {}
  }

  init(_ policy: SafetyPolicy, _ line: HistoryLine, _ clock: VirtualClock) {
    gate = SafetyGate(line: line, policy: policy)
    let client: MQTTClient
    do {
      client = try MQTTClient(MQTTClientOptions(clientID: "den", randomSeed: 1))
    } catch {
      fatalError("the options are valid")
    }
    device = Device(
      topics: Topics(root: "home", device: "den"), modules: [module], client: client, clock: clock,
      log: Silence())
    gate.start(on: device, for: module)
    turn()
  }

  func wish(_ active: Bool, by source: CommandSource) -> Answer {
    let answer = gate.ask(active, by: source)
    turn()
    guard case .rejected(let text) = answer else { return .obeyed }
    for refusal in SafetyRefusal.all where text == refusal.text { return .refused(refusal) }
    return .failed
  }

  func lost(_ party: SafetyParty) {
    gate.lost(party)
    turn()
  }

  func found(_ party: SafetyParty) {
    gate.found(party)
    turn()
  }

  func stop() {
    gate.stop()
    turn()
  }

  func turn() { deadline = device.turn() }
}

extension SafetyRefusal {
  static let all: [SafetyRefusal] = [
    .stopping, .maxOn, .brokerLost(holds: true), .brokerLost(holds: false), .controllerLost(holds: true),
    .controllerLost(holds: false),
  ]
}
