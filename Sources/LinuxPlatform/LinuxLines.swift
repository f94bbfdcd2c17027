import CGPIOD
import CLinux
import HAL

/// Where a line is: the label of its chip and its name on it, such as `pinctrl-bcm2711` and `GPIO17`.
/// Never a chip number: those change from kernel to kernel.
public struct LineAddress {
  public var chip: String
  public var line: String

  public init(chip: String, line: String) {
    self.chip = chip
    self.line = line
  }

  func locate() throws(LineError) -> gpio_location {
    var location = gpio_location()
    let result = chip.withCString { chip in
      line.withCString { line in gpio_find(chip, line, &location) }
    }
    if result < 0 { throw LineError(number: -result) }
    return location
  }

  /// Who holds the line right now; nil when nobody does or it cannot be told.
  public var consumer: String? {
    var location: gpio_location
    do { location = try locate() } catch { return nil }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { name in
      guard let base = name.baseAddress, gpio_consumer(&location, base, name.count) == 0, base[0] != 0
      else { return nil }
      return String(cString: base)
    }
  }
}

extension LineError {
  init(number: Int32) {
    switch number {
    case ENODEV: self = .chipGone
    case ENOENT: self = .noSuchLine
    case EBUSY: self = .busy
    default: self = .system(number)
    }
  }
}

/// A line that drives something, through libgpiod.
public final class LinuxOutputLine: OutputLine {
  private let line: OpaquePointer
  public private(set) var level: OutputLevel
  /// A line of the kernel is never pending: nobody is told of anything.
  public var observer: (any OutputLineObserver)?

  /// Requests the line with its first value in the same call, so it never shows another.
  public init(
    _ address: LineAddress, consumer: String, activeLow: Bool, startsActive: Bool
  ) throws(LineError) {
    var location = try address.locate()
    var line: OpaquePointer?
    let result = consumer.withCString {
      gpio_request_output(&location, $0, activeLow ? 1 : 0, startsActive ? 1 : 0, &line)
    }
    guard result >= 0, let line else { throw LineError(number: -result) }
    self.line = line
    level = .driven(startsActive)
  }

  public func set(active: Bool) throws(LineError) {
    let result = gpio_set(line, active ? 1 : 0)
    if result < 0 { throw LineError(number: -result) }
    level = .driven(active)
  }
}
