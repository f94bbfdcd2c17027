import HAL
import Units

/// SHT30, SHT31, SHT35: thermometer (−45 … +130 °C, 0.01 °C steps, ±0.2 °C) and hygrometer (0 … 100 %,
/// 0.01 % steps, ±2 %).
///
/// Single shot with high repeatability, without clock stretching; it sleeps between measurements.
///
/// - `start` writes 3 bytes, `collect` reads 7 (addresses included); 16 ms in between.
/// - `.bus` when a transfer fails; `.checksum` when either value does not match its CRC; `.notReady` when
///   the chip does not acknowledge in `collect`, which is how it says that it is still measuring. A chip
///   that was unplugged between the two looks the same; the next `start` then says so.
///   The chip has no identity that says what it is.
///
/// Source: Sensirion *Datasheet SHT3x-DIS*, version 5: 2.1 "Timing", 4.3 "Measurement Commands for Single
/// Shot Data Acquisition Mode", 4.4 "Readout", 4.12 "Checksum Calculation", 4.13 "Conversion of Signal
/// Output".
public struct SHT3x: I2CSensor {
  public static var name: StaticString { "SHT3x" }
  public static var parts: StaticString { "SHT30 SHT31 SHT35" }
  public static var shortestPeriod: Duration { .milliseconds(100) }
  public static var usualAddress: UInt8 { 0x44 }
  public static func allows(_ address: UInt8) -> Bool { address >= 0x44 && address <= 0x45 }

  private let device: any I2CDevice
  private var isMeasuring = false

  public init(_ device: any I2CDevice) {
    self.device = device
  }

  public mutating func start() throws(SensorError) -> Duration {
    isMeasuring = false
    let measureOnce: InlineArray<2, UInt8> = [0x24, 0x00]
    do { try device.write(measureOnce.span) } catch { throw .bus(error) }
    isMeasuring = true
    return .milliseconds(16)
  }

  public mutating func collect() throws(SensorError) -> ClimateMeasurement {
    guard isMeasuring else { throw .notReady }
    isMeasuring = false
    var answer = InlineArray<6, UInt8>(repeating: 0)
    var bytes = answer.mutableSpan
    do {
      try device.read(into: &bytes)
    } catch {
      throw error == .noAcknowledge ? .notReady : .bus(error)
    }
    let temperature = try Self.word(of: answer, at: 0)
    let humidity = try Self.word(of: answer, at: 3)
    return ClimateMeasurement(
      temperature: Temperature(milliCelsius: Self.scaled(temperature, to: 175_000) - 45_000),
      humidity: RelativeHumidity(milliPercent: Self.scaled(humidity, to: 100_000)))
  }

  private static func word(of answer: InlineArray<6, UInt8>, at index: Int) throws(SensorError) -> UInt16 {
    let word = answer.bigEndian16(at: index)
    guard crc(of: word) == answer[index + 2] else { throw .checksum }
    return word
  }

  /// The share of the full scale, rounded.
  private static func scaled(_ raw: UInt16, to fullScale: Int64) -> Int32 {
    Int32(truncatingIfNeeded: (Int64(raw) * fullScale + 32_767) / 65_535)
  }

  /// CRC-8 of the two bytes, polynomial 0x31, starting from 0xFF.
  static func crc(of word: UInt16) -> UInt8 {
    var crc = UInt8(word >> 8) ^ 0xFF
    for bit in 0..<16 {
      if bit == 8 { crc ^= UInt8(word & 0xFF) }
      crc = crc & 0x80 == 0 ? crc << 1 : crc << 1 ^ 0x31
    }
    return crc
  }
}
