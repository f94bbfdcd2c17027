import HAL

/// MCP23017: 16 pins, ports A (`GPA0` … `GPA7`, pins 0 … 7) and B (`GPB0` … `GPB7`, pins 8 … 15), 25 mA each,
/// at most 125 mA into and 150 mA out of the chip.
///
/// - At power-up all pins are inputs, latches low.
/// - `prepare` writes 10 bytes in three transfers: registers in pairs (IOCON.BANK = 0), whichever way they were,
///   with the address counting up, and inputs as they are (IPOL = 0). The first of them goes to 05h: that is
///   IOCON while BANK is 1, and otherwise the enable of port B's change interrupt, which is not used.
/// - `read` takes 10 bytes (IODIR, OLAT), `write` 8 (OLAT, then IODIR), `levels` 5, addresses included.
/// - Only the latches are read back, not the pins: a short circuit is no loss of power.
///
/// Since 2022 the datasheet calls GPA7 and GPB7 outputs only: as inputs they can disturb SDA.
///
/// Source: Microchip *MCP23017/MCP23S17 16-Bit I/O Expander with Serial Interface*, DS20001952: 3.2.1 "Byte Mode
/// and Sequential Mode", 3.5 "Configuration and Control Registers" with table 3-5, "Absolute Maximum Ratings".
public struct MCP23017: PortExpander {
  public static var name: StaticString { "MCP23017" }
  public static var defaultAddress: UInt8 { 0x20 }
  public static var pinCount: Int { 16 }
  public static var powerUp: ExpanderPowerUp { .inputs }

  private enum Register {
    static var directions: UInt8 { 0x00 }
    static var polarity: UInt8 { 0x02 }
    static var settingsOfBank1: UInt8 { 0x05 }
    static var settings: UInt8 { 0x0A }
    static var pins: UInt8 { 0x12 }
    static var latches: UInt8 { 0x14 }
  }

  private let registers: ExpanderRegisters

  public init(_ device: any I2CDevice) {
    registers = ExpanderRegisters(device: device)
  }

  public static func name(of pin: Int) -> PinName {
    PinName([0x47, 0x50, pin < 8 ? 0x41 : 0x42, 0x30 + UInt8(pin % 8)])  // GPA0
  }

  public mutating func prepare() throws(BusError) {
    try registers.write8(Register.settingsOfBank1, 0)
    try registers.write8(Register.settings, 0)
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
