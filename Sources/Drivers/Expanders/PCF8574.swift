import HAL

/// PCF8574 and PCF8574A: 8 pins (`P0` … `P7`) that sink 25 mA when low, and source no more than 100 µA when high:
/// enough for an input, a transistor's gate, or a relay board that switches on low.
///
/// It has one register and no directions: a pin that is high can be pulled low from outside, and is an input then.
///
/// - At power-up all pins are high.
/// - `write` and `read` take 2 bytes each, addresses included. Pins that are not driven are set high.
/// - What the chip sends are the levels on the pins, not what was written: a pin that is low is low by us or by
///   somebody else. So what it has been doing cannot be known (`read` says what it does at power-up, if it is
///   there), and of what was written only the lows can be proved: a loss of power makes them high.
///
/// Source: NXP *PCF8574; PCF8574A Remote 8-bit I/O expander for I²C-bus with interrupt*, Rev. 5: 7.1 "Device
/// address", 8.1 "Quasi-bidirectional I/Os", 8.2 "Writing to the port", 8.3 "Reading from a port".
public struct PCF8574: PortExpander {
  public static var name: StaticString { "PCF8574" }
  public static var defaultAddress: UInt8 { 0x20 }
  public static var pinCount: Int { 8 }
  public static var powerUp: ExpanderPowerUp { .weaklyHigh }

  private let device: any I2CDevice

  public init(_ device: any I2CDevice) {
    self.device = device
  }

  /// 20h … 27h, and 38h … 3Fh for the PCF8574A.
  public static func allows(address: UInt8) -> Bool {
    address >= 0x20 && address <= 0x27 || address >= 0x38 && address <= 0x3F
  }

  public static func name(of pin: Int) -> PinName {
    PinName([0x50, 0x30 + UInt8(pin), 0, 0])  // P0
  }

  public mutating func read() throws(BusError) -> PortState {
    _ = try levels()
    return PortState(latch: Self.allPins, outputs: 0)
  }

  public mutating func write(_ state: PortState) throws(BusError) {
    let bytes: InlineArray<1, UInt8> = [UInt8(truncatingIfNeeded: state.latch | ~state.outputs)]
    try device.write(bytes.span)
  }

  public mutating func holds(_ state: PortState) throws(BusError) -> Bool {
    try levels() & state.outputs & ~state.latch == 0
  }

  public mutating func levels() throws(BusError) -> UInt32 {
    var answer = InlineArray<1, UInt8>(repeating: 0)
    var bytes = answer.mutableSpan
    try device.read(into: &bytes)
    return UInt32(answer[0])
  }
}
