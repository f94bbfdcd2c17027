/// A PCA9555: four pairs of registers, within which successive bytes take turns. 100 kΩ pull its pins high.
/// Interrupts are not modelled.
///
/// Source: NXP PCA9555 Rev. 8, 6.2 "Registers", 6.3 "Power-on reset", 6.5 "Bus transactions"; TI SCPS131,
/// "Register Descriptions".
public final class PCA9555Model: ExpanderModel {
  public let pins = ExpanderPins(outside: 0xFFFF)
  private var registers = InlineArray<8, UInt8>(repeating: 0)
  private var command: UInt8 = 0

  public init() {
    losePower()
  }

  /// The supply goes and comes back.
  public func losePower() {
    for register in 0..<8 { registers[register] = register == 4 || register == 5 ? 0 : 0xFF }
    command = 0
    drive()
  }

  public func receive(_ bytes: Span<UInt8>, fault: Fault?) -> Bool {
    guard bytes.count > 0 else { return true }
    command = bytes[0] & 0b111
    for index in 1..<max(bytes.count, 1) {
      if command >= 2 { registers[Int(command)] = bytes[index] }
      command ^= 1
      drive()
    }
    return true
  }

  public func send(into bytes: inout MutableSpan<UInt8>, fault: Fault?) -> Bool {
    for index in 0..<bytes.count {
      if command < 2 {
        let levels = UInt8(truncatingIfNeeded: pins.levels >> (UInt32(command) * 8))
        bytes[index] = levels ^ registers[Int(command) + 4]
      } else {
        bytes[index] = registers[Int(command)]
      }
      command ^= 1
    }
    return true
  }

  private func drive() {
    let inputs = UInt32(registers[6]) | UInt32(registers[7]) << 8
    pins.drive(~inputs & 0xFFFF, UInt32(registers[2]) | UInt32(registers[3]) << 8)
  }
}
