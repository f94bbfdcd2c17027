import DeviceRuntime
import Drivers
import HAL

/// A chip that a device or board file can name, for the list of those a program knows: `ExpanderKind(PCA9555.self)`.
/// What the list does not name is not linked.
public struct ExpanderKind {
  public let name: String
  /// Other parts that it is the driver of, with spaces between them.
  public let parts: String
  public let defaultAddress: UInt8
  /// What the datasheet calls the pins, in their order.
  public let pinNames: [String]
  public let powerUp: ExpanderPowerUp
  /// Whether the chip can have the address.
  public let allows: (_ address: UInt8) -> Bool
  /// The pin of a name, such as `GPA3`, or of a decimal number.
  public let pin: (_ named: String) -> Int?
  /// The chip at the other end, whose transfers run on this queue. `enable` has been requested inactive.
  public let make:
    (_ device: any I2CDevice, _ queue: any WorkQueue, _ enable: (any OutputLine)?, _ timing: ExpanderTiming)
      ->
      ExpanderPort

  public init<Chip: PortExpander>(_ chip: Chip.Type) {
    name = Chip.name.description
    parts = Chip.parts.description
    defaultAddress = Chip.defaultAddress
    pinNames = (0..<Chip.pinCount).map { pin in
      let name = Chip.name(of: pin)
      return String(decoding: (0..<name.count).map { name[$0] }, as: UTF8.self)
    }
    powerUp = Chip.powerUp
    allows = { Chip.allows(address: $0) }
    pin = { name in
      var name = name
      return name.withUTF8 { Chip.pin(named: $0.span) }
    }
    make = { device, queue, enable, timing in
      ExpanderPort(Chip(device), queue: queue, enable: enable, timing: timing)
    }
  }

  /// What cannot be promised of an output of an expander, for `check`.
  public static func promise(isEnabledByLine: Bool, timing: ExpanderTiming = ExpanderTiming()) -> FixedText {
    var text = FixedText()
    if isEnabledByLine {
      text.append("cut off by its enable line until the first transfer, when the bus has failed for ")
      text.append(timing.lostAfter)
      text.append(", and at the stop, whatever its stop level; ")
    } else {
      text.append("start level with the first transfer; ")
    }
    text.append("a command can take 200 ms when another chip hangs the bus")
    if !isEnabledByLine { text.append("; no stop or crash level when the bus is stuck") }
    return text
  }

  /// Why an output of such a chip is on from power-up to the first transfer, although it starts off; nil if it is
  /// not, or is meant to be.
  public func powerUpProblem(activeLow: Bool, startsActive: Bool) -> FixedText? {
    guard case .weaklyHigh = powerUp, !activeLow, !startsActive else { return nil }
    var text: FixedText = "a "
    text.append(name)
    text.append(" has all pins high from power-up on, which is on: use active: low, or start: on")
    return text
  }
}
