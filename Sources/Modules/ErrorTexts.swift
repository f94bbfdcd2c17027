import DeviceRuntime
import Drivers
import HAL
import Units

// What went wrong in a person's words, with what to look at. One place, so that all modules say the same.

extension LineError {
  var text: FixedText {
    switch self {
    case .chipGone: return "the GPIO chip is gone"
    case .noSuchLine: return "the GPIO chip has no such line"
    case .busy: return "the line is held by another program"
    case .bus: return "the bus that leads to the line's chip fails"
    case .notHeld: return "the line's chip does not keep its level: look for noise or a weak supply"
    case .system(let number):
      var text: FixedText = "the line cannot be used: system error "
      text.append(decimal: Int64(number))
      return text
    }
  }
}

/// Where a sensor is, for its error texts.
public struct SensorPlace: Sendable {
  /// `/dev/i2c-1`
  public var bus: String
  public var address: UInt8
  /// What switches the bus on, such as `add dtparam=i2c_arm=on to config.txt`.
  public var enableHint: String?

  public init(bus: String, address: UInt8, enableHint: String? = nil) {
    self.bus = bus
    self.address = address
    self.enableHint = enableHint
  }
}

extension SensorError {
  func text(_ place: SensorPlace) -> FixedText {
    if case .bus(let error) = self { return error.text(place) }
    var text = place.target
    switch self {
    case .bus: break
    case .checksum:
      text.append(" answered with a wrong checksum: look for noise, long wires or missing pull-ups")
    case .wrongIdentity(let found):
      text.append(" is another chip: its identity register holds ")
      text.append(hex: found)
    case .notReady: text.append(" was not ready after its longest conversion time")
    case .implausible: text.append(" answered with values no such chip can have")
    }
    return text
  }
}

extension BusError {
  fileprivate func text(_ place: SensorPlace) -> FixedText {
    var text = place.target
    switch self {
    case .noAcknowledge: text.append(" does not answer: look at its wiring, power and address")
    case .busy: text.append(" cannot be reached: the bus is busy")
    case .timeout: text.append(" cannot be reached: the bus is stuck (is SDA or SCL held low?)")
    case .shortTransfer: text.append(" sent fewer bytes than asked for")
    case .noController:
      text = FixedText(place.bus)
      text.append(" does not exist: ")
      text.append(place.enableHint ?? "enable the bus, or plug it in")
    case .notPermitted:
      text = FixedText(place.bus)
      text.append(" may not be opened: add the user to the group i2c (sudo usermod -aG i2c USER)")
    case .system(let number):
      text.append(" cannot be reached: system error ")
      text.append(decimal: Int64(number))
    }
    return text
  }
}

extension SensorPlace {
  fileprivate var target: FixedText {
    var text: FixedText = "target "
    text.append(hex: address)
    text.append(" on ")
    text.append(bus)
    return text
  }
}

extension Reading {
  func append(to text: inout FixedText) {
    var digits = InlineArray<21, UInt8>(repeating: 0)
    var span = digits.mutableSpan
    let count = write(into: &span)
    text.append(digits.span.extracting(0..<count))
  }
}
