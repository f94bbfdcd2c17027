/// An MCP23017: eleven registers for each of two ports, in pairs or port by port (IOCON.BANK), with an address
/// that counts up or stays (IOCON.SEQOP). Interrupts are not modelled.
///
/// Source: Microchip DS20001952, 3.1 "Power-on Reset", 3.2.1 "Byte Mode and Sequential Mode", 3.5 "Configuration
/// and Control Registers", tables 3-1, 3-4 and 3-5.
public final class MCP23017Model: ExpanderModel {
  public let pins = ExpanderPins(outside: 0)
  /// One register of both ports, port A in the low byte.
  private var values = InlineArray<11, UInt16>(repeating: 0)
  private var settings: UInt8 = 0
  private var address: UInt8 = 0

  private enum Kind {
    static var direction: Int { 0 }
    static var polarity: Int { 1 }
    static var settings: Int { 5 }
    static var flag: Int { 7 }
    static var capture: Int { 8 }
    static var port: Int { 9 }
    static var latch: Int { 10 }
  }

  public init() {
    losePower()
  }

  /// The supply goes and comes back.
  public func losePower() {
    for kind in 0..<11 { values[kind] = kind == Kind.direction ? 0xFFFF : 0 }
    settings = 0
    address = 0
    drive()
  }

  public func receive(_ bytes: Span<UInt8>, fault: Fault?) -> Bool {
    guard bytes.count > 0 else { return true }
    address = bytes[0]
    for index in 1..<max(bytes.count, 1) {
      write(bytes[index])
      advance()
    }
    return true
  }

  public func send(into bytes: inout MutableSpan<UInt8>, fault: Fault?) -> Bool {
    for index in 0..<bytes.count {
      bytes[index] = value
      advance()
    }
    return true
  }

  private var isByPort: Bool { settings & 0x80 != 0 }
  private var isByteMode: Bool { settings & 0x20 != 0 }

  /// Which register the address means: its kind and its place in the pair; nil: there is none.
  private var place: (kind: Int, shift: UInt16)? {
    let kind = isByPort ? Int(address & 0x0F) : Int(address / 2)
    let port = isByPort ? address >> 4 : address % 2
    return kind < 11 && port < 2 ? (kind, UInt16(port) * 8) : nil
  }

  private var value: UInt8 {
    guard let (kind, shift) = place else { return 0 }
    switch kind {
    case Kind.settings: return settings
    case Kind.port:
      let levels = UInt16(truncatingIfNeeded: pins.levels) ^ values[Kind.polarity]
      return UInt8(truncatingIfNeeded: levels >> shift)
    default: return UInt8(truncatingIfNeeded: values[kind] >> shift)
    }
  }

  private func write(_ value: UInt8) {
    guard let (kind, shift) = place else { return }
    switch kind {
    case Kind.flag, Kind.capture: break
    case Kind.settings: settings = value & 0xFE
    default:
      let kind = kind == Kind.port ? Kind.latch : kind
      values[kind] = values[kind] & ~(0xFF << shift) | UInt16(value) << shift
      drive()
    }
  }

  private func advance() {
    switch (isByteMode, isByPort) {
    case (true, true): break
    case (true, false): address ^= 1
    case (false, true): address = address == 0x0A ? 0x10 : address >= 0x1A ? 0 : address + 1
    case (false, false): address = address >= 0x15 ? 0 : address + 1
    }
  }

  private func drive() {
    pins.drive(UInt32(~values[Kind.direction]), UInt32(values[Kind.latch]))
  }
}
