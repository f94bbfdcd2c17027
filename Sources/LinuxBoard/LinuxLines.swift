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
    do { return try locate().consumer } catch { return nil }
  }
}

extension gpio_location {
  /// Who holds the line right now; nil when nobody does or it cannot be told.
  var consumer: String? {
    var location = self
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
