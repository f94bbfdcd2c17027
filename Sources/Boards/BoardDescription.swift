import DeviceFile

/// What a board file says: the lines and buses of a board, by the names its kernel gives them.
///
/// Descriptions are classes: copies of them would cost the program more than all checks together.
public final class BoardDescription {
  public var mark: Mark
  public var name: String
  public var title: String
  /// What people call it, for suggestions.
  public var otherNames: [String] = []
  /// No hardware: the lines and buses are models.
  public var simulated = false
  public var lines: [LineDescription] = []
  public var buses: [BusDescription] = []
  /// Header pins that are no lines, with what is on them instead.
  public var supplyPins: [SupplyPin] = []
  /// What to add to the firmware's configuration to have a line high (or low) from power-up on, with
  /// `*` for the line's number.
  public var startHighHint: String?
  public var startLowHint: String?

  init(mark: Mark, name: String, title: String) {
    self.mark = mark
    self.name = name
    self.title = title
  }

  public struct SupplyPin: Sendable {
    public var pin: Int
    public var supply: String
  }

  /// The line that a device file means: its name, another of its names, or `pin 11`.
  @inline(never)
  public func line(_ name: String) -> LineDescription? {
    for line in lines where line.isCalled(name) { return line }
    return nil
  }

  @inline(never)
  public func bus(_ name: String) -> BusDescription? {
    for bus in buses where bus.isCalled(name) { return bus }
    return nil
  }
}

/// A GPIO line of a board.
public final class LineDescription {
  /// What the power-up state of the pin is before any software runs.
  public enum Pull: Sendable { case up, down, none }

  public var mark: Mark
  /// `GPIO17`
  public var name: String
  /// The label of the line's chip: `pinctrl-bcm2711`.
  public var chip = ""
  /// What kernels call the line, the likeliest first; one of them is there.
  public var kernelNames: [String]
  /// What else a device file may call it, as a profile does.
  public var aliases: [String] = []
  /// Where it is on the header.
  public var pin: Int?
  public var powerUpPull: Pull?
  /// What the line is needed for.
  public var reserved: String?
  /// Driving it takes a transfer on a bus, so that a queue does it: an expander with a driver in the kernel.
  public var isSlow = false

  init(mark: Mark, name: String) {
    self.mark = mark
    self.name = name
    kernelNames = [name]
  }

  /// The number that the firmware's configuration knows the line by: `17`.
  public var number: String { (kernelNames.first ?? name).trailingDigits }

  /// All that a device file may call it.
  @inline(never)
  var names: [String] {
    let names = [name] + kernelNames + aliases
    guard let pin else { return names }
    return names + ["pin " + pin.description]
  }

  @inline(never)
  public func isCalled(_ text: String) -> Bool { names.contains { $0.equals(text) } }

  func isSame(as other: LineDescription) -> Bool {
    guard chip.equals(other.chip), let name = kernelNames.first, let otherName = other.kernelNames.first
    else { return false }
    return name.equals(otherName)
  }
}

/// An I2C bus of a board.
public final class BusDescription {
  public var mark: Mark
  /// `i2c-1`
  public var name: String
  /// What else a device file may call it, as a profile does.
  public var aliases: [String] = []
  /// `/dev/i2c-1`
  public var device: String
  /// The lines it uses when it is enabled.
  public var lines: [String] = []
  /// How to switch it on when the device is not there.
  public var enableHint: String?

  init(mark: Mark, name: String) {
    self.mark = mark
    self.name = name
    device = "/dev/" + name
  }

  /// All that a device file may call it, in one spelling or another; `1` is `i2c-1`.
  @inline(never)
  var names: [String] { [name, device, name.trailingDigits] + aliases }

  @inline(never)
  public func isCalled(_ text: String) -> Bool {
    name.equals(text) || aliases.contains { $0.equals(text) }
  }
}
