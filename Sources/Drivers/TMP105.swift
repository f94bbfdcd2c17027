import HAL
import Units

/// TMP105: thermometer, 0.0625 °C steps, −55 °C … +127.94 °C, ±2 °C (−25 … +85 °C).
/// The TMP75, TMP175 and TMP275 have the same registers and work with it.
///
/// It sleeps between measurements (one-shot conversions, 12 bits).
///
/// - `start` writes 3 bytes; `collect` reads the temperature (2 bytes written, 3 read) and the
///   configuration (2 and 2), addresses included; 320 ms in between.
/// - The first `start`, and the first after an error, shuts the chip down (3 bytes) and asks for another 320 ms: after
///   power-up, and where another program wants it so, it converts all the time, perhaps with fewer bits. It shuts down
///   after the conversion that runs, and makes none on demand before.
/// - `.bus` when a transfer fails; `.implausible` below −55 °C, when one of the low four bits, which are
///   zero in a TMP105, is not, or when the configuration is not what `start` wrote: the chip has lost
///   power since, or all that is read are zeros or ones. It has neither identity, nor checksum, nor ready
///   flag.
///
/// Source: Texas Instruments *TMP105 Digital Temperature Sensor with Two-Wire Interface*, SLLS648:
/// "Temperature Register", "Shutdown Mode", "Converter Resolution", "One-Shot", and "Conversion time".
public struct TMP105: I2CSensor {
  public static var name: StaticString { "TMP105" }
  public static var parts: StaticString { "TMP75 TMP175 TMP275" }
  public static var shortestPeriod: Duration { .milliseconds(500) }
  public static var usualAddress: UInt8 { 0x48 }
  /// The TMP105 itself has one address pin (0x48, 0x49); its relatives have three.
  public static func allows(_ address: UInt8) -> Bool { address >= 0x48 && address <= 0x4F }

  private enum Register {
    static var temperature: UInt8 { 0x00 }
    static var configuration: UInt8 { 0x01 }
  }
  /// 12 bits, shut down.
  private static var asleep: UInt8 { 0b0110_0001 }
  /// The one-shot bit, which always reads zero.
  private static var convertOnce: UInt8 { asleep | 0x80 }
  private static var conversionTime: Duration { .milliseconds(320) }

  private enum Phase {
    case idle
    case shuttingDown
    case converting
  }

  private let registers: Registers
  /// It is shut down; known while all is well.
  private var isKnown = false
  private var phase: Phase = .idle
  private var stuck = StuckWatch.ofCoarseSteps

  public init(_ device: any I2CDevice) {
    registers = Registers(device: device)
  }

  public mutating func start() throws(SensorError) -> Duration {
    phase = .idle
    if isKnown { return try convert() }
    try registers.write(Register.configuration, Self.asleep)
    phase = .shuttingDown
    return Self.conversionTime
  }

  public mutating func advance() throws(SensorError) -> Duration? {
    guard case .shuttingDown = phase else { return nil }
    return try convert()
  }

  private mutating func convert() throws(SensorError) -> Duration {
    phase = .idle
    isKnown = false  // until this has gone well
    try registers.write(Register.configuration, Self.convertOnce)
    phase = .converting
    return Self.conversionTime
  }

  public mutating func collect() throws(SensorError) -> TemperatureMeasurement {
    guard case .converting = phase else { throw .notReady }
    phase = .idle
    let answer: InlineArray<2, UInt8> = try registers.read(from: Register.temperature)
    let bits = answer.bigEndian16(at: 0)
    let sixteenths = Int32(Int16(bitPattern: bits) >> 4)
    let settings: InlineArray<1, UInt8> = try registers.read(from: Register.configuration)
    guard settings[0] | 0x80 == Self.convertOnce, bits & 0x000F == 0, sixteenths >= -55 * 16 else {
      throw .implausible
    }
    isKnown = !stuck.take(Int64(sixteenths))
    return TemperatureMeasurement(
      temperature: Temperature(milliCelsius: roundedMilli(sixteenths)), quality: stuck.quality)
  }

  /// Sixteenths as thousandths (62.5 each), rounded half away from zero.
  private func roundedMilli(_ sixteenths: Int32) -> Int32 {
    (sixteenths * 125 + (sixteenths < 0 ? -1 : 1)) / 2
  }
}
