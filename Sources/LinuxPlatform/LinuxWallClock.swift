import CLinux
import HAL

/// The system's time of day. A board without a battery starts in the past: before 2024 it is not set.
public final class LinuxWallClock: WallClock {
  private static let earliest: Int64 = 1_704_067_200_000

  public init() {}

  public var unixMilliseconds: Int64? {
    let now = linux_wall_time()
    return now >= LinuxWallClock.earliest ? now : nil
  }
}
