/// An MCP23008: eleven registers, with an address that counts up or stays (IOCON.SEQOP). Interrupts are not
/// modelled.
///
/// Source: Microchip DS20001919, 1.2 "Power-on Reset", 1.3 "Serial Interface", 1.6 "Configuration and Control
/// Registers" with tables 1-2 and 1-3.
public final class MCP23008Model: ExpanderModel {
  public let pins = ExpanderPins(outside: 0)
  private var registers = InlineArray<11, UInt8>(repeating: 0)
  private var address = 0

  private enum Register {
    static var direction: Int { 0x00 }
    static var polarity: Int { 0x01 }
    static var settings: Int { 0x05 }
    static var port: Int { 0x09 }
    static var latch: Int { 0x0A }
  }

  public init() {
    losePower()
  }

  /// The supply goes and comes back.
  public func losePower() {
    for register in 0..<11 { registers[register] = register == Register.direction ? 0xFF : 0 }
    address = 0
    drive()
  }

  public func receive(_ bytes: Span<UInt8>, fault: Fault?) -> Bool {
    guard bytes.count > 0 else { return true }
    address = Int(bytes[0])
    for index in 1..<max(bytes.count, 1) {
      write(bytes[index])
      advance()
    }
    return true
  }

  public func send(into bytes: inout MutableSpan<UInt8>, fault: Fault?) -> Bool {
    for index in 0..<bytes.count {
      switch address {
      case Register.port: bytes[index] = UInt8(truncatingIfNeeded: pins.levels) ^ registers[Register.polarity]
      case 0..<11: bytes[index] = registers[address]
      default: bytes[index] = 0
      }
      advance()
    }
    return true
  }

  private func write(_ value: UInt8) {
    switch address {
    case 0x07, 0x08: break
    case Register.port: registers[Register.latch] = value
    case Register.settings: registers[Register.settings] = value & 0x3E
    case 0..<11: registers[address] = value
    default: break
    }
    drive()
  }

  private func advance() {
    if registers[Register.settings] & 0x20 == 0 { address = address >= 0x0A ? 0 : address + 1 }
  }

  private func drive() {
    pins.drive(UInt32(~registers[Register.direction]), UInt32(registers[Register.latch]))
  }
}
