/// A point on the platform's monotonic clock, in nanoseconds from an origin of the platform's choosing.
///
/// It never jumps when the wall clock is set, so timeouts and schedules are built on it.
public struct Instant: Equatable, Comparable, Sendable {
  public var nanoseconds: Int64

  public init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  /// The clock's origin.
  public static let zero = Instant(nanoseconds: 0)

  public var milliseconds: Int64 { nanoseconds / 1_000_000 }

  public static func < (left: Instant, right: Instant) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  public static func + (instant: Instant, duration: Duration) -> Instant {
    Instant(nanoseconds: instant.nanoseconds + duration.nanoseconds)
  }

  public static func - (later: Instant, earlier: Instant) -> Duration {
    .nanoseconds(later.nanoseconds - earlier.nanoseconds)
  }
}

extension Duration {
  /// Whole nanoseconds; durations of a device's life (292 years) fit.
  public var nanoseconds: Int64 {
    components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
  }

  /// Whole milliseconds, rounded towards zero.
  public var milliseconds: Int64 { nanoseconds / 1_000_000 }
}

/// Tells the time: the kernel's monotonic clock on a board, a virtual one in simulation.
public protocol MonotonicClock: AnyObject {
  var now: Instant { get }
  /// Which run of the board the clock counts from: another number after each boot.
  var boot: UInt32 { get }
}

extension MonotonicClock {
  public var boot: UInt32 { 0 }
}

/// Tells the time of day, for stamps on what is read later. Nothing is scheduled by it.
public protocol WallClock: AnyObject {
  /// Milliseconds since 1970; nil while nobody knows whether the clock is right.
  var unixMilliseconds: Int64? { get }
}
