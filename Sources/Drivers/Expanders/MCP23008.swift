import HAL

/// MCP23008: 8 pins (`GP0` … `GP7`), 25 mA each, at most 125 mA into and 150 mA out of the chip.
///
/// - At power-up all pins are inputs, latches low.
/// - `prepare` writes 6 bytes in two transfers: the address counts up (IOCON.SEQOP = 0) and inputs are as they
///   are (IPOL = 0).
/// - `read` takes 8 bytes (IODIR, OLAT), `write` 6 (OLAT, then IODIR), `levels` 4, addresses included.
/// - Only the latches are read back, not the pins: a short circuit is no loss of power.
///
/// Source: Microchip *MCP23008/MCP23S08 8-Bit I/O Expander with Serial Interface*, DS20001919: 1.3 "Serial
/// Interface", 1.6 "Configuration and Control Registers", "Absolute Maximum Ratings".
public struct MCP23008: PortExpander {
  public static var name: StaticString { "MCP23008" }
  public static var defaultAddress: UInt8 { 0x20 }
  public static var pinCount: Int { 8 }
  public static var powerUp: ExpanderPowerUp { .inputs }

  private enum Register {
    static var directions: UInt8 { 0x00 }
    static var polarity: UInt8 { 0x01 }
    static var settings: UInt8 { 0x05 }
    static var pins: UInt8 { 0x09 }
    static var latches: UInt8 { 0x0A }
  }

  private let registers: ExpanderRegisters

  public init(_ device: any I2CDevice) {
    registers = ExpanderRegisters(device: device)
  }

  public static func name(of pin: Int) -> PinName {
    PinName([0x47, 0x50, 0x30 + UInt8(pin), 0])  // GP0
  }

  public mutating func prepare() throws(BusError) {
    try registers.write8(Register.settings, 0)
    try registers.write8(Register.polarity, 0)
  }

  public mutating func read() throws(BusError) -> PortState {
    let inputs = try registers.read8(Register.directions)
    let latches = try registers.read8(Register.latches)
    return PortState(latch: latches, outputs: ~inputs & Self.allPins)
  }

  public mutating func write(_ state: PortState) throws(BusError) {
    try registers.write8(Register.latches, state.latch)
    try registers.write8(Register.directions, ~state.outputs)
  }

  public mutating func levels() throws(BusError) -> UInt32 {
    try registers.read8(Register.pins)
  }
}
