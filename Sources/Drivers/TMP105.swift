import HAL
import Units

/// TMP105: thermometer, 0.0625 °C steps, −55 °C … +127.94 °C, ±2 °C (−25 … +85 °C).
/// The TMP75, TMP175 and TMP275 have the same registers and work with it.
///
/// It sleeps between measurements (one-shot conversions, 12 bits).
///
/// - `start` writes 3 bytes; `collect` reads the temperature (2 bytes written, 3 read) and the
///   configuration (2 and 2), addresses included; 320 ms in between.
/// - `.bus` when a transfer fails; `.implausible` below −55 °C, when one of the low four bits, which are
///   zero in a TMP105, is not, or when the configuration is not what `start` wrote: the chip has lost
///   power since, or all that is read are zeros or ones. It has neither identity, nor checksum, nor ready
///   flag.
///
/// Source: Texas Instruments *TMP105 Digital Temperature Sensor with Two-Wire Interface*, SLLS648:
/// "Temperature Register", "Configuration Register" (resolution, one-shot), and "Conversion time".
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
  /// One shot, 12 bits, shut down.
  private static var convertOnce: UInt8 { 0b1110_0001 }

  private let registers: Registers
  private var isConverting = false

  public init(_ device: any I2CDevice) {
    registers = Registers(device: device)
  }

  public mutating func start() throws(SensorError) -> Duration {
    isConverting = false
    try registers.write(Register.configuration, Self.convertOnce)
    isConverting = true
    return .milliseconds(320)
  }

  public mutating func collect() throws(SensorError) -> TemperatureMeasurement {
    guard isConverting else { throw .notReady }
    isConverting = false
    let answer: InlineArray<2, UInt8> = try registers.read(from: Register.temperature)
    let bits = answer.bigEndian16(at: 0)
    let sixteenths = Int32(Int16(bitPattern: bits) >> 4)
    let settings: InlineArray<1, UInt8> = try registers.read(from: Register.configuration)
    // The one-shot bit always reads zero.
    guard settings[0] | 0x80 == Self.convertOnce, bits & 0x000F == 0, sixteenths >= -55 * 16 else {
      throw .implausible
    }
    return TemperatureMeasurement(temperature: Temperature(milliCelsius: roundedMilli(sixteenths)))
  }

  /// Sixteenths as thousandths (62.5 each), rounded half away from zero.
  private func roundedMilli(_ sixteenths: Int32) -> Int32 {
    (sixteenths * 125 + (sixteenths < 0 ? -1 : 1)) / 2
  }
}
