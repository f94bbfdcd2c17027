import DeviceRuntime
import HAL

/// What must be true of an output at every moment, told from the outside: from the times at which things happened
/// and from what the line was told. It shares nothing with the rules but the words of the policy.
struct Oracle {
  /// A sentence that turned out not to be true.
  enum Violation: String, Equatable {
    case wrongAnswer = "a wish is refused for a reason that holds, and for nothing else"
    case refusalActed =
      "a refused wish changes nothing, an obeyed one goes to the line once, as it was wished"
    case actWithoutCause =
      "every act has a cause: max_on is over, or somebody is away and the output elsewhere"
    case onTooLong = "an output is off when max_on is over since it may have come on, whoever repeated ON"
    case notHeld = "while somebody is away, the output is where the policy holds it, its own exceptions aside"
    case busy = "once nothing is due, the next deadline lies in the future"
    case late = "the next deadline is not later than the end of max_on or the begin of a hold"
    case switchedAfterStop = "after a stop nothing switches"
    case wrongStop = "a stop drives the stop level once, or leaves the line alone"
    case idle = "what the line refused is tried again within a second"
  }

  private let policy: SafetyPolicy
  private var now = Instant.zero
  private var level: OutputLevel
  private var mayBeOnSince: Instant?
  private var brokerLostAt: Instant?
  private var controllerLostAt: Instant?
  /// Whose hold an exception has lifted.
  private var exception: SafetyParty?
  private var isStopped = false
  private var lastAct: (active: Bool, at: Instant)?

  init(_ policy: SafetyPolicy, level: OutputLevel) {
    self.policy = policy
    self.level = level
    learn(level, at: now)
  }

  mutating func learn(_ level: OutputLevel, at now: Instant) {
    self.now = now
    self.level = level
    if level == .driven(false) {
      mayBeOnSince = nil
    } else if level != .pending(false), mayBeOnSince == nil {
      mayBeOnSince = now
    }
  }

  mutating func pass(to now: Instant) { self.now = now }

  mutating func lost(_ party: SafetyParty) {
    if party == .broker {
      brokerLostAt = brokerLostAt ?? now
    } else {
      controllerLostAt = controllerLostAt ?? now
    }
  }

  mutating func found(_ party: SafetyParty) {
    if party == .broker { brokerLostAt = nil } else { controllerLostAt = nil }
    if exception == party { exception = nil }
  }

  mutating func stop() { isStopped = true }

  /// What a wish must be answered with.
  func refusal(of wish: Bool, by source: CommandSource) -> SafetyRefusal? {
    if isStopped { return .stopping }
    if wish && isOverdue { return .maxOn }
    guard let (party, lost) = hold, wish != lost.then else { return nil }
    if source == .person && lost.exceptPerson { return nil }
    // It is there already, by an exception.
    if exception == party && isAt(wish) { return nil }
    return party == .broker ? .brokerLost(holds: lost.then) : .controllerLost(holds: lost.then)
  }

  /// The gate told the line something without having been asked.
  mutating func acted(_ attempt: HistoryLine.Try) -> Violation? {
    if isStopped { return .switchedAfterStop }
    let isMaxOn = isOverdue && !attempt.active && !isAt(false)
    let isHold =
      !isOverdue && hold.map { $0.lost.then == attempt.active && exception != $0.party } == true
      && !isAt(attempt.active)
    guard isMaxOn || isHold else { return .actWithoutCause }
    lastAct = (attempt.active, now)
    told(attempt)
    return nil
  }

  /// The gate told the line what somebody wished, or the stop level.
  mutating func told(_ attempt: HistoryLine.Try) {
    if attempt.failed { return }
    exception = hold.flatMap { $0.lost.then == attempt.active ? nil : $0.party }
    learn(attempt.level, at: now)
  }

  /// Looks at the output between two turns of the loop.
  func look(next deadline: Instant?) -> Violation? {
    if isStopped { return nil }
    if let deadline, deadline <= now { return .busy }
    if isOverdue {
      if !isAt(false), !isBeingTried(false) { return .onTooLong }
      if !isAt(false), !isTriedSoon(deadline) { return .idle }
    } else if let (party, lost) = hold, exception != party, !isAt(lost.then) {
      if !isBeingTried(lost.then) { return .notHeld }
      if !isTriedSoon(deadline) { return .idle }
    }
    for moment in [
      end, begin(brokerLostAt, policy.brokerLost), begin(controllerLostAt, policy.controllerLost),
    ] {
      if let moment, moment > now, deadline.map({ $0 > moment }) != false { return .late }
    }
    return nil
  }

  private var end: Instant? {
    guard let maxOn = policy.maxOn, let mayBeOnSince else { return nil }
    return mayBeOnSince + maxOn
  }

  private var isOverdue: Bool { end.map { $0 <= now } == true }

  private func begin(_ lostAt: Instant?, _ lost: SafetyPolicy.Lost?) -> Instant? {
    guard let lostAt, let lost else { return nil }
    return lostAt + lost.after
  }

  private var hold: (party: SafetyParty, lost: SafetyPolicy.Lost)? {
    if let lost = policy.brokerLost, let at = begin(brokerLostAt, lost), at <= now { return (.broker, lost) }
    if let lost = policy.controllerLost, let at = begin(controllerLostAt, lost), at <= now {
      return (.controller, lost)
    }
    return nil
  }

  private func isAt(_ active: Bool) -> Bool { level == .driven(active) || level == .pending(active) }

  private func isBeingTried(_ active: Bool) -> Bool {
    lastAct.map { $0.active == active && now - $0.at < .seconds(1) } == true
  }

  private func isTriedSoon(_ deadline: Instant?) -> Bool {
    guard let deadline, let lastAct else { return false }
    return deadline - lastAct.at <= .seconds(1)
  }
}
