import HAL

/// What an output does when nobody is in control. Every actuator has one.
public struct SafetyPolicy: Sendable {
  /// The value the line is requested with: it holds from the first moment on.
  public var start: Bool
  /// The value at a clean stop; nil leaves the line as it is.
  public var stop: Bool?
  /// What happens when the broker has been away for a while.
  public var brokerLost: BrokerLost?
  /// How long the output may be on without a pause. Repeated ON commands do not extend it.
  public var maxOn: Duration?

  public struct BrokerLost: Sendable {
    public var after: Duration
    public var then: Bool

    public init(after: Duration, then: Bool) {
      self.after = after
      self.then = then
    }
  }

  public init(start: Bool = false, stop: Bool? = false, brokerLost: BrokerLost? = nil, maxOn: Duration? = nil)
  {
    self.start = start
    self.stop = stop
    self.brokerLost = brokerLost
    self.maxOn = maxOn
  }
}

/// Who is told when a gate acts by itself.
public protocol SafetyGateOwner: AnyObject {
  func safetyActed(_ cause: SafetyCause)
  /// The gate wanted to switch and the line refused.
  func safetyFailed(_ error: LineError)
}

/// Why a gate acted.
public enum SafetyCause: Equatable, Sendable {
  case brokerLost
  case maxOn
}

/// The only way to an output line: every value passes here, and the policy's timers act here, with or
/// without a broker.
public final class SafetyGate: TimerOwner {
  public let policy: SafetyPolicy
  private let line: any OutputLine
  private var owner: (any SafetyGateOwner)?
  private var clock: (any MonotonicClock)?
  private var brokerTimer: DeviceTimer?
  private var maxOnTimer: DeviceTimer?

  /// The line has been requested with `policy.start`.
  public init(line: any OutputLine, policy: SafetyPolicy) {
    self.line = line
    self.policy = policy
  }

  public var isActive: Bool { line.isActive }

  /// Begins to watch over the output; the owner is told when the gate acts by itself.
  public func start(on device: Device, owner: any SafetyGateOwner) {
    self.owner = owner
    clock = device.clock
    brokerTimer = device.makeTimer(for: self)
    maxOnTimer = device.makeTimer(for: self)
    watchMaxOn(wasActive: false)
  }

  /// Switches the output.
  public func set(active: Bool) throws(LineError) {
    let wasActive = line.isActive
    try line.set(active: active)
    watchMaxOn(wasActive: wasActive)
  }

  public func brokerConnected() {
    brokerTimer?.cancel()
  }

  public func brokerDisconnected() {
    guard let lost = policy.brokerLost, let clock, brokerTimer?.deadline == nil else { return }
    brokerTimer?.schedule(at: clock.now + lost.after)
  }

  /// Brings the output to its stop level.
  public func stop() throws(LineError) {
    maxOnTimer?.cancel()
    brokerTimer?.cancel()
    if let stop = policy.stop { try line.set(active: stop) }
  }

  public func timerFired(_ timer: DeviceTimer, now: Instant) {
    if timer === maxOnTimer {
      act(.maxOn, active: false)
    } else if let lost = policy.brokerLost {
      act(.brokerLost, active: lost.then)
    }
  }

  private func act(_ cause: SafetyCause, active: Bool) {
    if line.isActive == active { return }
    do {
      try set(active: active)
      owner?.safetyActed(cause)
    } catch {
      // The output is not where it must be: keep trying.
      if let clock { (cause == .maxOn ? maxOnTimer : brokerTimer)?.schedule(at: clock.now + .seconds(1)) }
      owner?.safetyFailed(error)
    }
  }

  private func watchMaxOn(wasActive: Bool) {
    guard let maxOn = policy.maxOn, let clock else { return }
    if !line.isActive {
      maxOnTimer?.cancel()
    } else if !wasActive {
      maxOnTimer?.schedule(at: clock.now + maxOn)
    }
  }
}
