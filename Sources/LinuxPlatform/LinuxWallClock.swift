import CLinux
import HAL

/// The system's time of day. A board without a battery starts in the past: what its clock says counts once somebody who
/// knows has set it, by NTP mostly.
public final class LinuxWallClock: WallClock {
  private let isTrusted: Bool

  /// `isTrusted`: the clock is right, whether or not somebody is known to have set it.
  public init(isTrusted: Bool = false) {
    self.isTrusted = isTrusted
  }

  public var unixMilliseconds: Int64? {
    isTrusted || linux_is_clock_set() != 0 ? linux_wall_time() : nil
  }
}
