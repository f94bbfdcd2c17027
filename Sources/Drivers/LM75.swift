import HAL
import Units

/// LM75, LM75A, LM75B, DS75, MAX7500 and other parts of that name: thermometer, 0.5 °C steps,
/// −55 °C … +125 °C, ±3 °C. Parts that resolve more are read with the nine bits all of them have.
///
/// It converts all the time (250 µA), so a result is at most 300 ms old.
///
/// - The first `start`, and the first after an error, writes 3 bytes to wake the chip and asks for
///   300 ms; later ones make no transfer and ask for no time. `collect` reads the temperature (2 bytes
///   written, 3 read) and the configuration (2 and 2), addresses included.
/// - `.bus` when a transfer fails; `.implausible` outside −55 … +125 °C, or when the configuration is not
///   what `start` wrote: the chip has lost power since (it then shows 0 °C for a while), or all that is
///   read are zeros or ones. It has neither identity, nor checksum, nor ready flag.
///
/// Source: Texas Instruments *LM75B, LM75C Digital Temperature Sensor and Thermal Watchdog with Two-Wire
/// Interface*, SNIS153: "Temperature Data Format", "Temperature Register", "Configuration Register", and
/// the temperature conversion time in "Temperature-to-Digital Converter Characteristics".
public struct LM75: I2CSensor {
  public static var name: StaticString { "LM75" }
  public static var parts: StaticString { "DS75 MAX7500" }
  public static var shortestPeriod: Duration { .milliseconds(500) }
  public static var usualAddress: UInt8 { 0x48 }
  public static func allows(_ address: UInt8) -> Bool { address >= 0x48 && address <= 0x4F }

  private enum Register {
    static var temperature: UInt8 { 0x00 }
    static var configuration: UInt8 { 0x01 }
  }
  /// Awake, with a fault queue of two: that changes nothing but the alarm pin, and tells a chip that was
  /// set up from one that has just been powered.
  private static var convertAlways: UInt8 { 0b0000_1000 }

  private let registers: Registers
  private var isAwake = false
  private var isStarted = false
  private var stuck = StuckWatch.ofCoarseSteps

  public init(_ device: any I2CDevice) {
    registers = Registers(device: device)
  }

  public mutating func start() throws(SensorError) -> Duration {
    isStarted = isAwake
    if isAwake { return .zero }
    try registers.write(Register.configuration, Self.convertAlways)
    isAwake = true
    isStarted = true
    return .milliseconds(300)
  }

  public mutating func collect() throws(SensorError) -> TemperatureMeasurement {
    guard isStarted else { throw .notReady }
    isStarted = false
    isAwake = false  // until this has gone well
    let answer: InlineArray<2, UInt8> = try registers.read(from: Register.temperature)
    let halves = Int32(Int16(bitPattern: answer.bigEndian16(at: 0)) >> 7)
    let settings: InlineArray<1, UInt8> = try registers.read(from: Register.configuration)
    guard settings[0] == Self.convertAlways, halves >= -55 * 2, halves <= 125 * 2 else {
      throw .implausible
    }
    isAwake = !stuck.take(Int64(halves))
    return TemperatureMeasurement(
      temperature: Temperature(milliCelsius: halves * 500), quality: stuck.quality)
  }
}
