import HAL

/// A clock that stands still until it is told to move on: hours of a device's life pass in a moment.
public final class VirtualClock: MonotonicClock {
  public private(set) var now: Instant = .zero

  public init() {}

  public func advance(by duration: Duration) {
    advance(to: now + duration)
  }

  /// Moves on to the instant; it never runs backwards, so an instant that has passed changes nothing.
  public func advance(to instant: Instant) {
    if instant > now { now = instant }
  }
}
