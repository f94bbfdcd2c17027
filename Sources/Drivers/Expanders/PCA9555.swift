import HAL

/// PCA9555, TCA9555 and, but for its missing pull-ups and other addresses, PCA9535: 16 pins, ports 0 (`P00` …
/// `P07`, pins 0 … 7) and 1 (`P10` … `P17`, pins 8 … 15), 10 mA source and 25 mA sink each.
///
/// - At power-up all pins are inputs that 100 kΩ pull high, latches high.
/// - `prepare` writes 4 bytes: inputs are as they are (polarity inversion 0).
/// - `read` takes 10 bytes (configuration, output port), `write` 8 (output port, then configuration), `levels` 5,
///   addresses included. The two registers of a pair are written and read one after the other.
/// - Only the latches are read back, not the pins: a short circuit is no loss of power.
///
/// Source: NXP *PCA9555 16-bit I²C-bus and SMBus I/O port with interrupt*, Rev. 8: 6.2 "Registers", 6.3 "Power-on
/// reset", 6.5 "Bus transactions"; Texas Instruments SCPS131, "Register Descriptions".
public struct PCA9555: PortExpander {
  public static var name: StaticString { "PCA9555" }
  public static var parts: StaticString { "TCA9555 PCA9535 TCA9535" }
  public static var defaultAddress: UInt8 { 0x20 }
  public static var pinCount: Int { 16 }
  public static var powerUp: ExpanderPowerUp { .inputs }

  private enum Register {
    static var pins: UInt8 { 0x00 }
    static var latches: UInt8 { 0x02 }
    static var polarity: UInt8 { 0x04 }
    static var directions: UInt8 { 0x06 }
  }

  private let registers: ExpanderRegisters

  public init(_ device: any I2CDevice) {
    registers = ExpanderRegisters(device: device)
  }

  public static func name(of pin: Int) -> PinName {
    PinName([0x50, pin < 8 ? 0x30 : 0x31, 0x30 + UInt8(pin % 8), 0])  // P00
  }

  public mutating func prepare() throws(BusError) {
    try registers.write16(Register.polarity, 0)
  }

  public mutating func read() throws(BusError) -> PortState {
    let inputs = try registers.read16(Register.directions)
    let latches = try registers.read16(Register.latches)
    return PortState(latch: latches, outputs: ~inputs & Self.allPins)
  }

  public mutating func write(_ state: PortState) throws(BusError) {
    try registers.write16(Register.latches, state.latch)
    try registers.write16(Register.directions, ~state.outputs)
  }

  public mutating func levels() throws(BusError) -> UInt32 {
    try registers.read16(Register.pins)
  }
}
