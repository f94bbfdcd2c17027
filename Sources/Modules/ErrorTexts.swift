import DeviceRuntime
import Drivers
import HAL
import Units

// What went wrong in a person's words, with what to look at. One place, so that all modules say the same.

/// Where a sensor is, for its error texts.
public struct SensorPlace: Sendable {
  /// `/dev/i2c-1`
  public var bus: String
  /// Of an I2C target; nil: the chip is the only one there.
  public var address: UInt8?
  /// What switches the bus on, such as `add dtparam=i2c_arm=on to config.txt`.
  public var enableHint: String?
  /// What tells the chip that should be there from others; nil: nothing does.
  public var identity: RegisterIdentity?

  public init(
    bus: String, address: UInt8? = nil, enableHint: String? = nil, identity: RegisterIdentity? = nil
  ) {
    self.bus = bus
    self.address = address
    self.enableHint = enableHint
    self.identity = identity
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
    case .wrongIdentity(let found): place.appendIdentity(found, to: &text)
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
    case .noAcknowledge:
      text.append(
        place.address == nil
          ? " does not answer: look at its wiring and power"
          : " does not answer: look at its wiring, power and address")
    case .busy: text.append(" cannot be reached: the bus is busy")
    case .timeout where place.address == nil: text.append(" cannot be reached: it did not answer in time")
    case .timeout: text.append(" cannot be reached: the bus is stuck (is SDA or SCL held low?)")
    case .shortTransfer: text.append(" sent fewer bytes than asked for")
    case .noController:
      text = FixedText(place.bus)
      text.append(" does not exist: ")
      text.append(place.enableHint ?? "enable the bus, or plug it in")
    case .noDriver:
      text = FixedText(place.bus)
      text.append(
        " does not exist, but its controller does: load i2c-dev (sudo modprobe i2c-dev, and a line i2c-dev in /etc/modules)"
      )
    case .noNode:
      text = FixedText(place.bus)
      text.append(" is not in /dev, but i2c-dev has it: give it to this container, or look at udev")
    case .notPermitted where place.address == nil:
      text = FixedText(place.bus)
      text.append(" may not be opened by this user")
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
  /// What `found` in the identity register says: nothing is there, or which chip is.
  fileprivate func appendIdentity(_ found: UInt8, to text: inout FixedText) {
    if found == 0x00 || found == 0xFF {
      text.append(" answered with ")
      text.append(hex: found)
      text.append(" where its identity should be: nothing there, look at its wiring")
      return
    }
    text.append(" is another chip")
    if let name = identity?.name(of: found) {
      text.append(", a ")
      text.append(name)
    }
    text.append(": its identity register holds ")
    text.append(hex: found)
  }

  fileprivate var target: FixedText {
    var text: FixedText = "the chip"
    if let address {
      text = "target "
      text.append(hex: address)
    }
    text.append(" on ")
    text.append(bus)
    return text
  }
}

extension Reading {
  func append(as channel: Channel, to text: inout FixedText) {
    var digits = InlineArray<21, UInt8>(repeating: 0)
    var span = digits.mutableSpan
    let count = write(as: channel, into: &span)
    text.append(digits.span.extracting(0..<count))
  }
}

extension Quality {
  /// What JSON calls it.
  var name: StaticString {
    switch self {
    case .good: "good"
    case .estimated: "estimated"
    case .warmingUp: "warming_up"
    case .missing: "missing"
    }
  }
}

extension Readings {
  /// Which channels have no value, and which have none yet; empty when all have one.
  func faultText(_ channels: [Channel], _ place: SensorPlace) -> FixedText {
    var text = FixedText()
    if list(channels, of: .missing, after: "no value for ", to: &text) {
      text.append(": ")
      text.append(place.target)
      text.append(" could not measure it")
    }
    if list(
      channels, of: .warmingUp, after: text.isEmpty ? "no value yet for " : "; none yet for ", to: &text)
    {
      text.append(": ")
      text.append(place.target)
      text.append(" is warming up")
    }
    return text
  }

  /// The names of the channels of that quality; false: there is none.
  private func list(
    _ channels: [Channel], of quality: Quality, after lead: StaticString, to text: inout FixedText
  ) -> Bool {
    var found = false
    for index in 0..<count where self[index].quality == quality && Int(self[index].channel) < channels.count {
      text.append(found ? ", " : lead)
      text.append(channels[Int(self[index].channel)].name)
      found = true
    }
    return found
  }
}
