import HAL
import Units

/// A DS18B20 on the kernel's `w1_therm`: twelve bits, every read of `w1_slave` converts. The time it takes is not
/// modelled: the kernel's.
///
/// Source: Analog Devices *DS18B20*, 19-7487: "Operation—Measuring Temperature" (figure 4, table 1), "Memory"
/// (figure 9), "CRC Generation"; Linux `Documentation/w1/slaves/w1_therm.rst`.
public final class DS18B20Model: KernelDeviceModel, SensorModel {
  private let environment: Environment
  /// The bytes the kernel keeps: those of the last good reading.
  private var kept = InlineArray<9, UInt8>(repeating: 0)
  /// It lost power between conversion and reading, as one with a loose wire does again and again.
  public var losesPower = false

  public convenience init(environment: Environment, clock: any MonotonicClock) {
    self.init(environment: environment)
  }

  public init(environment: Environment) {
    self.environment = environment
  }

  public func read(
    _ attribute: StaticString, into text: inout MutableSpan<UInt8>, fault: Fault?
  ) throws(BusError) -> Int {
    guard attribute.utf8CodeUnitCount == 8 else { throw .noAcknowledge }
    var memory = scratchpad()
    if case .flippedBit(let bit) = fault { memory[bit / 8 % 9] ^= 0x80 >> UInt8(bit % 8) }
    let checksum = Self.remainder(of: memory)
    let isGood = checksum == memory[8]
    if isGood { kept = memory }
    var page = KernelText()
    for index in memory.indices {
      page.append(hex: memory[index])
      page.append(" ")
    }
    page.append(": crc=")
    page.append(hex: checksum)
    page.append(isGood ? " YES\n" : " NO\n")
    for index in kept.indices {
      page.append(hex: kept[index])
      page.append(" ")
    }
    page.append("t=")
    page.append(decimal: Int64(Int16(bitPattern: UInt16(kept[1]) << 8 | UInt16(kept[0]))) * 1_000 / 16)
    page.append("\n")
    return page.copy(into: &text)
  }

  /// Temperature, two alarms, configuration, three reserved bytes, and the checksum.
  private func scratchpad() -> InlineArray<9, UInt8> {
    let sixteenths = (environment.thousandths(of: .temperature) * 16 + 2_048_500) / 1_000 - 2_048
    let word = losesPower ? 0x0550 : UInt16(bitPattern: Int16(min(max(sixteenths, -880), 2_000)))
    let low = UInt8(truncatingIfNeeded: word)
    // What the reserved byte counts: the steps that were left of the last degree.
    let remain: UInt8 = losesPower ? 0x0C : 0x10 - low & 0x0F
    var memory: InlineArray<9, UInt8> = [low, UInt8(word >> 8), 0x4B, 0x46, 0x7F, 0xFF, remain, 0x10, 0]
    memory[8] = Self.remainder(of: memory)
    return memory
  }

  /// Eight bytes, lowest bit first, as a polynomial, times x⁸, divided by x⁸ + x⁵ + x⁴ + 1.
  private static func remainder(of memory: InlineArray<9, UInt8>) -> UInt8 {
    var register: UInt16 = 0  // x⁷ is its lowest bit
    for bit in 0..<64 {
      let input = UInt16(memory[bit / 8] >> UInt8(bit % 8) & 1)
      let feedback = register & 1 ^ input
      register >>= 1
      if feedback == 1 { register ^= 0b1000_1100 }
    }
    return UInt8(register)
  }
}
