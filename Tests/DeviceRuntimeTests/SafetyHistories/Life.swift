import DeviceRuntime
import HAL
import Simulation

/// What came up in histories, by how often.
struct Seen {
  var refusals = [Int](repeating: 0, count: SafetyRefusal.all.count)
  /// Acts to off, and to on.
  var acts = [0, 0]
  var failedActs = 0
}

/// A subject that lives through a history under the oracle's eyes.
struct Life<S: Subject> {
  private let clock = VirtualClock()
  private let line: HistoryLine
  private let subject: S
  private let policy: SafetyPolicy
  private var oracle: Oracle
  private var violation: Oracle.Violation?
  private var seen = Seen()

  /// Turns of the loop while time passes; what is due afterwards is done at the end, as if the loop had been held up.
  private static var mostTurns: Int { 12 }

  private init(_ history: History) {
    policy = history.policy
    line = HistoryLine(isQueued: history.isQueued, start: policy.start)
    oracle = Oracle(policy, level: line.level)
    subject = S(policy, line, clock)
    look()
  }

  /// The first sentence that is not true of the history, if any.
  static func violation(in history: History) -> Oracle.Violation? {
    var life = Life(history)
    for step in history.steps {
      if life.violation != nil { break }
      life.take(step)
    }
    return life.violation
  }

  static func seen(in history: History) -> Seen {
    var life = Life(history)
    for step in history.steps { life.take(step) }
    return life.seen
  }

  private mutating func take(_ step: Step) {
    switch step {
    case .wish(let active, let source): wish(active, source)
    case .pass(let time): pass(time)
    case .jump(let time): run(at: clock.now + time)
    case .untilDue: if let deadline = subject.deadline { run(at: deadline) }
    case .almostDue:
      if let deadline = subject.deadline { run(at: deadline + .nanoseconds(-1)) }
    case .lost(let party):
      oracle.lost(party)
      subject.lost(party)
    case .found(let party):
      oracle.found(party)
      subject.found(party)
    case .lineFails: line.fails = true
    case .lineRecovers: line.fails = false
    case .busConfirms: hear { $0.confirm() }
    case .busFails(let forgets): hear { $0.lose(forgets: forgets) }
    case .stop: stop()
    }
    look()
  }

  private mutating func wish(_ active: Bool, _ source: CommandSource) {
    let refusal = oracle.refusal(of: active, by: source)
    let answer = subject.wish(active, by: source)
    if let refusal {
      // All that was due had been done before: what the line is told now comes of the wish.
      if !line.tries.isEmpty { violation = .refusalActed }
      if answer != .refused(refusal) { violation = .wrongAnswer }
      seen.refusals[SafetyRefusal.all.firstIndex(of: refusal) ?? 0] += 1
      return
    }
    guard answer == .obeyed || answer == .failed else { return violation = .wrongAnswer }
    guard let attempt = line.tries.first, attempt.active == active, attempt.failed == (answer == .failed)
    else {
      return violation = .refusalActed
    }
    line.tries.removeFirst()
    oracle.told(attempt)
  }

  private mutating func stop() {
    subject.stop()
    oracle.stop()
    let isRight = line.tries.count == (policy.stop == nil ? 0 : 1) && line.tries.first?.active == policy.stop
    if !isRight { violation = .wrongStop }
    if let attempt = line.tries.first { oracle.told(attempt) }
    line.tries.removeAll(keepingCapacity: true)
  }

  /// What the bus tells comes before what the gate makes of it.
  private mutating func hear(_ event: (HistoryLine) -> Void) {
    guard case .pending = line.level else { return }
    let observer = line.observer
    line.observer = nil
    event(line)
    line.observer = observer
    oracle.learn(line.level, at: clock.now)
    if case .driven = line.level { observer?.outputDriven() } else { observer?.outputFailed(.bus(.timeout)) }
    subject.turn()
  }

  private mutating func pass(_ time: Duration) {
    let end = clock.now + time
    var turns = 0
    while violation == nil, turns < Self.mostTurns, let deadline = subject.deadline, deadline < end {
      run(at: deadline)
      look()
      turns += 1
    }
    run(at: end)
  }

  private mutating func run(at instant: Instant) {
    clock.advance(to: instant)
    oracle.pass(to: clock.now)
    subject.turn()
  }

  private mutating func look() {
    for attempt in line.tries where violation == nil {
      violation = oracle.acted(attempt)
      seen.acts[attempt.active ? 1 : 0] += 1
      if attempt.failed { seen.failedActs += 1 }
    }
    line.tries.removeAll(keepingCapacity: true)
    if violation == nil { violation = oracle.look(next: subject.deadline) }
  }
}
