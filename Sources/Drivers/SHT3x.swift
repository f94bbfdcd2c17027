import HAL
import Units

/// SHT30, SHT31, SHT35: thermometer (−45 … +130 °C, 0.01 °C steps, ±0.2 °C) and hygrometer (0 … 100 %,
/// 0.01 % steps, ±2 %).
///
/// Single shot with high repeatability, without clock stretching; it sleeps between measurements.
///
/// - `start` writes 3 bytes, `collect` reads 7 (addresses included); 16 ms in between.
/// - The first `start`, and the first after an error, begins with a break and a soft reset (3 bytes and 1 ms, 3 bytes
///   and 2 ms): another program may have left the chip in a periodic mode, in which it acknowledges nothing else, or
///   its heater on, and its supply outlives a restart. A break that is not acknowledged, because the chip is in the
///   middle of a measurement, is followed by the time of one.
/// - `.bus` when a transfer fails; `.checksum` when either value does not match its CRC; `.notReady` when
///   the chip does not acknowledge in `collect`, which is how it says that it is still measuring. A chip
///   that was unplugged between the two looks the same; the next `start` then says so.
///   The chip has no identity that says what it is.
/// - Both values exactly alike 256 times in a row: the chip is reset (its noise is 5 steps of the temperature and
///   17 of the humidity, a third of the repeatability in tables 1 and 2). Alike all the same: `.estimated`.
///
/// Source: Sensirion *Datasheet SHT3x-DIS*, version 5: 2.1 "Timing", 4.3 "Measurement Commands for Single
/// Shot Data Acquisition Mode", 4.4 "Readout", 4.8 "Break command", 4.9 "Reset", 4.10 "Heater", 4.12 "Checksum
/// Calculation", 4.13 "Conversion of Signal Output".
public struct SHT3x: I2CSensor {
  public static var name: StaticString { "SHT3x" }
  public static var parts: StaticString { "SHT30 SHT31 SHT35" }
  public static var shortestPeriod: Duration { .milliseconds(100) }
  public static var usualAddress: UInt8 { 0x44 }
  public static func allows(_ address: UInt8) -> Bool { address >= 0x44 && address <= 0x45 }

  private enum Command {
    static var measureOnce: UInt16 { 0x2400 }
    static var stopPeriodic: UInt16 { 0x3093 }
    static var softReset: UInt16 { 0x30A2 }
  }
  private static var measurementTime: Duration { .milliseconds(16) }

  private enum Phase {
    case idle
    case stopping
    case resetting
    case measuring
  }

  private let device: any I2CDevice
  /// It is in single shot mode; known while all is well.
  private var isKnown = false
  private var phase: Phase = .idle
  private var stuck = StuckWatch(most: 256)

  public init(_ device: any I2CDevice) {
    self.device = device
  }

  public mutating func start() throws(SensorError) -> Duration {
    phase = .idle
    if isKnown { return try measure() }
    do {
      try device.write(Self.bytes(of: Command.stopPeriodic).span)
      phase = .stopping
      return .milliseconds(1)
    } catch {
      guard error == .noAcknowledge else { throw .bus(error) }
      phase = .stopping
      return Self.measurementTime
    }
  }

  public mutating func advance() throws(SensorError) -> Duration? {
    switch phase {
    case .idle, .measuring: return nil
    case .stopping:
      phase = .idle
      try write(Command.softReset)
      phase = .resetting
      return .milliseconds(2)
    case .resetting: return try measure()
    }
  }

  private mutating func measure() throws(SensorError) -> Duration {
    phase = .idle
    isKnown = false  // until this has gone well
    try write(Command.measureOnce)
    phase = .measuring
    return Self.measurementTime
  }

  private func write(_ command: UInt16) throws(SensorError) {
    do { try device.write(Self.bytes(of: command).span) } catch { throw .bus(error) }
  }

  private static func bytes(of command: UInt16) -> InlineArray<2, UInt8> {
    [UInt8(command >> 8), UInt8(command & 0xFF)]
  }

  public mutating func collect() throws(SensorError) -> ClimateMeasurement {
    guard case .measuring = phase else { throw .notReady }
    phase = .idle
    var answer = InlineArray<6, UInt8>(repeating: 0)
    var bytes = answer.mutableSpan
    do {
      try device.read(into: &bytes)
    } catch {
      throw error == .noAcknowledge ? .notReady : .bus(error)
    }
    let temperature = try Self.word(of: answer, at: 0)
    let humidity = try Self.word(of: answer, at: 3)
    isKnown = !stuck.take(Int64(temperature) << 16 | Int64(humidity))
    var measurement = ClimateMeasurement(
      temperature: Temperature(milliCelsius: Self.scaled(temperature, to: 175_000) - 45_000),
      humidity: RelativeHumidity(milliPercent: Self.scaled(humidity, to: 100_000)))
    measurement.quality = stuck.quality
    return measurement
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
