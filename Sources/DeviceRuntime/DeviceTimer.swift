import HAL

/// Somebody whose time has come.
public protocol TimerOwner: AnyObject {
  func timerFired(_ timer: DeviceTimer, now: Instant)
}

/// A one-shot alarm on the device's loop, made once with `Device.makeTimer` and scheduled as often as
/// needed: scheduling allocates nothing.
public final class DeviceTimer {
  /// When it fires; nil while it is not scheduled.
  public private(set) var deadline: Instant?
  private let owner: any TimerOwner

  init(owner: any TimerOwner) {
    self.owner = owner
  }

  /// Fires once at `instant` (at once when that has passed); replaces an earlier schedule.
  public func schedule(at instant: Instant) {
    deadline = instant
  }

  public func cancel() {
    deadline = nil
  }

  /// Fires if due; true if it did.
  func fire(ifDueAt now: Instant) -> Bool {
    guard let deadline, deadline <= now else { return false }
    self.deadline = nil
    owner.timerFired(self, now: now)
    return true
  }
}
