import HAL

/// What a policy demands of an output as time passes: a state machine without a line and without a clock. Whoever
/// runs it (`SafetyGate`) tells it what happens, asks before it switches, and does what is due.
///
/// An output whose level is not certain counts as on: `maxOn` runs from the first moment it can have been on, and
/// begins anew only after it was off for certain.
public struct SafetyRules: Sendable {
  public let policy: SafetyPolicy
  private var level = OutputLevel.unknown
  /// When `maxOn` is over; nil: the output is off for certain, or may be on for ever.
  private var mustBeOffAt: Instant?
  /// From when on the output is held; nil: whoever it is is there, or nothing depends on that.
  private var brokerHoldsFrom: Instant?
  private var controllerHoldsFrom: Instant?
  /// The hold of this cause has been lifted by one of the policy's exceptions, and the output is away from its
  /// value since.
  private var lifted: SafetyCause?
  private var attempt: Attempt?
  private var isStopped = false

  /// What may be done about a wish. Who obeys calls `switched` afterwards.
  public enum Verdict: Equatable, Sendable {
    case obey
    case refuse(SafetyRefusal)
  }

  /// What has to be done without a wish. Who does it calls `switched` afterwards.
  public struct Act: Equatable, Sendable {
    public let cause: SafetyCause
    public let active: Bool

    public init(cause: SafetyCause, active: Bool) {
      self.cause = cause
      self.active = active
    }
  }

  /// An act that has been handed out, and when it is again if it is still due: the line did not obey.
  private struct Attempt {
    let act: Act
    let next: Instant
  }

  fileprivate struct Hold {
    let cause: SafetyCause
    let lost: SafetyPolicy.Lost
  }

  /// How long after an attempt that failed the next one follows: often enough for a line that another program
  /// holds for a moment, seldom enough for the log.
  static let pause = Duration.seconds(1)

  public init(_ policy: SafetyPolicy) {
    self.policy = policy
  }

  /// Whether the output may be switched to `wish` now.
  public func verdict(for wish: Bool, by source: CommandSource, now: Instant) -> Verdict {
    if isStopped { return .refuse(.stopping) }
    if wish, isOverdue(now) { return .refuse(.maxOn) }
    guard let hold = hold(now), wish != hold.lost.then else { return .obey }
    if source == .person, hold.lost.exceptPerson { return .obey }
    if lifted == hold.cause, level.isAt(wish) { return .obey }
    return .refuse(hold.refusal)
  }

  /// The line took the value, and this is known of it now.
  public mutating func switched(to active: Bool, level: OutputLevel, now: Instant) {
    let hold = hold(now)
    lifted = hold?.lost.then == active ? nil : hold?.cause
    learned(level, now: now)
  }

  /// What is known of the line has changed, or is known for the first time.
  public mutating func learned(_ level: OutputLevel, now: Instant) {
    self.level = level
    if let attempt, level == .driven(attempt.act.active) { self.attempt = nil }
    switch level {
    case .driven(false): mustBeOffAt = nil
    case .pending(false): break
    case .driven(true), .pending(true), .unknown:
      if mustBeOffAt == nil, let maxOn = policy.maxOn { mustBeOffAt = now + maxOn }
    }
  }

  /// Somebody is away from now on. Hearing it again changes nothing.
  public mutating func lost(_ party: SafetyParty, now: Instant) {
    switch party {
    case .broker: SafetyRules.begin(&brokerHoldsFrom, policy.brokerLost, now)
    case .controller: SafetyRules.begin(&controllerHoldsFrom, policy.controllerLost, now)
    }
  }

  /// Somebody is back. The output stays where it is.
  public mutating func found(_ party: SafetyParty) {
    let cause: SafetyCause
    switch party {
    case .broker:
      brokerHoldsFrom = nil
      cause = .brokerLost
    case .controller:
      controllerHoldsFrom = nil
      cause = .controllerLost
    }
    if lifted == cause { lifted = nil }
    if attempt?.act.cause == cause { attempt = nil }
  }

  /// From now on nothing is due and every wish is refused.
  public mutating func stopped() {
    isStopped = true
  }

  /// The act that is due, if any. It is handed out again after a pause as long as it is due.
  public mutating func takeAct(now: Instant) -> Act? {
    guard let act = due(now) else { return nil }
    if let attempt, attempt.act == act, now < attempt.next { return nil }
    attempt = Attempt(act: act, next: now + SafetyRules.pause)
    return act
  }

  /// When to ask for an act again, if nothing happens before: later than `now` once no act is left.
  public func deadline(now: Instant) -> Instant? {
    if isStopped { return nil }
    var next: Instant?
    if let act = due(now) {
      next = now
      if let attempt, attempt.act == act { next = attempt.next }
    }
    SafetyRules.take(mustBeOffAt, ifAfter: now, into: &next)
    SafetyRules.take(brokerHoldsFrom, ifAfter: now, into: &next)
    SafetyRules.take(controllerHoldsFrom, ifAfter: now, into: &next)
    return next
  }

  private func due(_ now: Instant) -> Act? {
    if isStopped { return nil }
    if isOverdue(now) {
      // Not even a hold switches on what has not been off for certain.
      return level.isAt(false) ? nil : Act(cause: .maxOn, active: false)
    }
    guard let hold = hold(now), lifted != hold.cause, !level.isAt(hold.lost.then) else { return nil }
    return Act(cause: hold.cause, active: hold.lost.then)
  }

  private func isOverdue(_ now: Instant) -> Bool {
    guard let mustBeOffAt else { return false }
    return mustBeOffAt <= now
  }

  private func hold(_ now: Instant) -> Hold? {
    if let lost = policy.brokerLost, let brokerHoldsFrom, brokerHoldsFrom <= now {
      return Hold(cause: .brokerLost, lost: lost)
    }
    if let lost = policy.controllerLost, let controllerHoldsFrom, controllerHoldsFrom <= now {
      return Hold(cause: .controllerLost, lost: lost)
    }
    return nil
  }

  private static func begin(_ holdsFrom: inout Instant?, _ lost: SafetyPolicy.Lost?, _ now: Instant) {
    if holdsFrom == nil, let lost { holdsFrom = now + lost.after }
  }

  private static func take(_ instant: Instant?, ifAfter now: Instant, into next: inout Instant?) {
    guard let instant, instant > now else { return }
    next = min(next ?? instant, instant)
  }
}

extension SafetyRules.Hold {
  fileprivate var refusal: SafetyRefusal {
    cause == .controllerLost ? .controllerLost(holds: lost.then) : .brokerLost(holds: lost.then)
  }
}

extension OutputLevel {
  /// The line has the value, or will have it as soon as its bus allows.
  fileprivate func isAt(_ active: Bool) -> Bool {
    switch self {
    case .driven(let value), .pending(let value): value == active
    case .unknown: false
    }
  }
}
