import HAL
import Units

/// DS18B20: thermometer on 1-Wire, 0.0625 °C steps, −55 °C … +125 °C, ±0.5 °C (−10 … +85 °C), through the kernel's
/// `w1_therm`.
///
/// - A measurement reads the attribute `w1_slave` once, in `collect`, which takes the chip's 750 ms; `start` reads
///   nothing. It is two lines: the nine bytes of the chip's memory with the kernel's verdict on their checksum, and
///   the bytes of the last good reading with its temperature. The second line may be old and is not looked at.
/// - `.bus` when the file cannot be read, `.noAcknowledge` when the chip is gone; `.bus(.shortTransfer)` when the
///   line ends too early; `.checksum` when the kernel says NO, or the bytes do not match their checksum; `.notReady`
///   when the memory is as after power-up, 85 °C: the chip has lost power since the conversion was asked for
///   (a real 85 °C differs in the reserved byte, which conversions change); `.implausible` outside −55 … +125 °C, or
///   when all bytes are zero, which matches its checksum: the data line is shorted.
///
/// Source: Analog Devices *DS18B20 Programmable Resolution 1-Wire Digital Thermometer*, 19-7487: "Operation—Measuring
/// Temperature" (table 1, power-on value), "Memory", "CRC Generation"; Linux `Documentation/w1/slaves/w1_therm.rst`.
public struct DS18B20: KernelSensor {
  public static var name: StaticString { "DS18B20" }
  /// The kernel waits 750 ms for a conversion of twelve bits.
  public static var shortestPeriod: Duration { .seconds(1) }

  private let device: any KernelDevice
  private var isStarted = false

  public init(_ device: any KernelDevice) {
    self.device = device
  }

  public mutating func start() throws(SensorError) -> Duration {
    isStarted = true
    return .zero
  }

  public mutating func collect() throws(SensorError) -> TemperatureMeasurement {
    guard isStarted else { throw .notReady }
    isStarted = false
    let memory = try readMemory()
    var isBlank = true
    for index in memory.indices where memory[index] != 0 { isBlank = false }
    let sixteenths = Int32(Int16(bitPattern: memory.littleEndian16(at: 0)))
    guard !isBlank, sixteenths >= -55 * 16, sixteenths <= 125 * 16 else { throw .implausible }
    guard sixteenths != 85 * 16 || memory[6] != 0x0C else { throw .notReady }
    // 62.5 thousandths each, rounded half away from zero
    let milli = (sixteenths * 125 + (sixteenths < 0 ? -1 : 1)) / 2
    return TemperatureMeasurement(temperature: Temperature(milliCelsius: milli))
  }

  /// `4b 01 4b 46 7f ff 05 10 e1 : crc=e1 YES`
  private func readMemory() throws(SensorError) -> InlineArray<9, UInt8> {
    var text = InlineArray<96, UInt8>(repeating: 0)
    var span = text.mutableSpan
    let count: Int
    do { count = try device.read("w1_slave", into: &span) } catch { throw .bus(error) }
    guard count >= 39 else { throw .bus(.shortTransfer) }
    var memory = InlineArray<9, UInt8>(repeating: 0)
    for index in memory.indices {
      guard let high = Self.digit(text[3 * index]), let low = Self.digit(text[3 * index + 1]) else {
        throw .checksum
      }
      memory[index] = high << 4 | low
    }
    guard text[36] == UInt8(ascii: "Y"), Self.crc(of: memory) == memory[8] else { throw .checksum }
    return memory
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }

  /// CRC-8 of the first eight bytes, lowest bit first, polynomial x⁸ + x⁵ + x⁴ + 1, starting from zero.
  static func crc(of memory: InlineArray<9, UInt8>) -> UInt8 {
    var crc: UInt8 = 0
    for index in 0..<8 {
      crc ^= memory[index]
      for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0x8C }
    }
    return crc
  }
}
