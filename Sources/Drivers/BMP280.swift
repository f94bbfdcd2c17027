import HAL
import Units

/// BMP280: barometer (300 … 1100 hPa, ±1 hPa, 0.16 Pa steps) with a thermometer (−40 … +85 °C, ±1 °C).
///
/// Forced mode at ultra high resolution (pressure ×16, temperature ×2, no filter); it sleeps between
/// measurements.
///
/// - The first `start`, and the first after an error, reads the identity (2 bytes written, 2 read), resets the chip
///   (3 bytes) and asks for 5 ms; then `advance` reads the status (2 and 2) and the calibration (twice 2 and 25), and
///   writes 6 bytes of settings. Without the reset a chip whose supply had sagged may show a constant, or some 700 hPa,
///   for ever. Every measurement writes 3 bytes and asks for 44 ms; `collect` writes 2 bytes and reads 11 (addresses
///   included).
/// - The last digits of both results are noise in a working chip. When the pressure has been the same sixteen times in a
///   row, or the temperature, which is quieter, sixty-four times, the next `start` resets the chip; what stays the same
///   all the same is `.estimated`.
/// - `.bus` when a transfer fails; `.wrongIdentity` when register 0xD0 does not hold 0x58, or 0x56 or 0x57 as the
///   first chips do; `.checksum` when the calibration is not the same twice; `.notReady` when the chip still
///   measures, or still loads its calibration; `.implausible` when the calibration is not one that a working chip has, the chip has lost
///   its settings since `start`, or the result is outside its range.
///
/// Source: Bosch Sensortec *BMP280 Digital Pressure Sensor*, BST-BMP280-DS001: 3.6.2 "Forced mode", 3.8.1
/// "Measurement time", 3.11 "Output compensation", 4.3 "Register description"; the early identities are in Bosch
/// Sensortec's own driver, and the sagging supply in esphome/issues, issue 3383.
public struct BMP280: I2CSensor {
  public static var name: StaticString { "BMP280" }
  public static var shortestPeriod: Duration { .milliseconds(100) }
  public static var usualAddress: UInt8 { 0x76 }
  public static func allows(_ address: UInt8) -> Bool { address >= 0x76 && address <= 0x77 }
  public static var identity: RegisterIdentity? { chip }

  private enum Register {
    static var calibration: UInt8 { 0x88 }
    static var reset: UInt8 { 0xE0 }
    static var status: UInt8 { 0xF3 }
    static var control: UInt8 { 0xF4 }
    static var configuration: UInt8 { 0xF5 }
  }
  private static var chip: RegisterIdentity {
    RegisterIdentity(register: 0xD0, value: 0x58, values: 0x56...0x58)
  }
  private static var softReset: UInt8 { 0xB6 }
  /// Temperature ×2, pressure ×16, asleep; with the lowest bit it measures once.
  private static var asleep: UInt8 { 0b0101_0100 }
  private static var forced: UInt8 { asleep | 1 }
  /// The `measuring` bit of the status.
  private static var isMeasuring: UInt8 { 0b1000 }
  /// The `im_update` bit of the status: the calibration is being loaded.
  private static var isLoading: UInt8 { 0b0001 }
  /// What a result register holds when nothing was measured.
  private static var nothing: UInt32 { 0x80000 }

  private enum Phase {
    case asleep
    case resetting
    case converting
  }

  private let registers: Registers
  /// Known while all is well.
  private var calibration: Calibration?
  private var phase: Phase = .asleep
  private var stuckPressure = StuckWatch(most: 16)
  private var stuckTemperature = StuckWatch(most: 64)

  public init(_ device: any I2CDevice) {
    registers = Registers(device: device)
  }

  public mutating func start() throws(SensorError) -> Duration {
    phase = .asleep
    if let calibration { return try convert(calibration) }
    try registers.check(Self.chip)
    try registers.write(Register.reset, Self.softReset)
    phase = .resetting
    return .milliseconds(5)
  }

  public mutating func advance() throws(SensorError) -> Duration? {
    guard case .resetting = phase else { return nil }
    phase = .asleep
    return try convert(try load())
  }

  private mutating func convert(_ current: Calibration) throws(SensorError) -> Duration {
    calibration = nil  // until this has gone well
    try registers.write(Register.control, Self.forced)
    calibration = current
    phase = .converting
    return .milliseconds(44)
  }

  public mutating func collect() throws(SensorError) -> BarometerMeasurement {
    guard case .converting = phase, let current = calibration else { throw .notReady }
    phase = .asleep
    calibration = nil  // until this has gone well
    // Status, control, configuration, an unused one, pressure (3), temperature (3)
    let answer: InlineArray<10, UInt8> = try registers.read(from: Register.status)
    guard answer[0] & Self.isMeasuring == 0 else { throw .notReady }
    let pressure = answer.bigEndian24(at: 4) >> 4
    let temperature = answer.bigEndian24(at: 7) >> 4
    guard answer[1] == Self.asleep, pressure != Self.nothing, temperature != Self.nothing else {
      throw .implausible
    }
    var measurement = try current.measurement(rawTemperature: temperature, rawPressure: pressure)
    let isPressureStuck = stuckPressure.take(Int64(pressure))
    let isTemperatureStuck = stuckTemperature.take(Int64(temperature))
    measurement.pressureQuality = stuckPressure.quality
    measurement.temperatureQuality = stuckTemperature.quality
    if !isPressureStuck, !isTemperatureStuck { calibration = current }
    return measurement
  }

  /// The calibration of a chip that was reset: asleep, without a filter.
  private func load() throws(SensorError) -> Calibration {
    let status: InlineArray<1, UInt8> = try registers.read(from: Register.status)
    guard status[0] & Self.isLoading == 0 else { throw .notReady }
    let bytes: InlineArray<24, UInt8> = try registers.readTwice(from: Register.calibration)
    let calibration = Calibration(bytes)
    guard calibration.isPlausible else { throw .implausible }
    // A copy of the chip may know no reset, and ignore settings while it runs.
    try registers.write(Register.control, Self.asleep)
    try registers.write(Register.configuration, 0)  // no filter
    return calibration
  }
}

extension BMP280 {
  /// The constants of one chip, and how they turn its raw results into physical values.
  struct Calibration {
    let t1: Int64
    let t2, t3: Int64
    let p1: Int64
    let p2, p3, p4, p5, p6, p7, p8, p9: Int64

    /// From registers 0x88…0x9F.
    init(_ bytes: InlineArray<24, UInt8>) {
      func signed(_ index: Int) -> Int64 { Int64(Int16(bitPattern: bytes.littleEndian16(at: index))) }
      t1 = Int64(bytes.littleEndian16(at: 0))
      t2 = signed(2)
      t3 = signed(4)
      p1 = Int64(bytes.littleEndian16(at: 6))
      p2 = signed(8)
      p3 = signed(10)
      p4 = signed(12)
      p5 = signed(14)
      p6 = signed(16)
      p7 = signed(18)
      p8 = signed(20)
      p9 = signed(22)
    }

    /// Neither zeros nor ones where every working chip has something else.
    var isPlausible: Bool {
      t1 != 0 && t1 != 0xFFFF && t2 > 0 && p1 != 0 && p1 != 0xFFFF
    }

    /// A degree and ten hectopascals beyond the datasheet's range still count, for rounding at its edges.
    func measurement(
      rawTemperature: UInt32, rawPressure: UInt32
    ) throws(SensorError) -> BarometerMeasurement {
      let fine = fineTemperature(Int64(rawTemperature))
      let milliCelsius = divideRounding(fine * 25, by: 128)
      guard milliCelsius >= -41_000, milliCelsius <= 86_000 else { throw .implausible }
      let milliPascals = try pressure(Int64(rawPressure), fine: fine) * 125 / 32
      guard milliPascals >= 29_000_000, milliPascals <= 111_000_000 else { throw .implausible }
      return BarometerMeasurement(
        temperature: Temperature(milliCelsius: Int32(milliCelsius)),
        pressure: Pressure(milliPascals: Int32(milliPascals)))
    }

    /// The temperature in 1/5120 °C (datasheet 3.11.3), from a raw value of 20 bits: below 2³⁷ whatever
    /// the constants are.
    func fineTemperature(_ raw: Int64) -> Int64 {
      let linear = (((raw >> 3) - (t1 << 1)) * t2) >> 11
      let offset = (raw >> 4) - t1
      return linear + ((((offset * offset) >> 12) * t3) >> 14)
    }

    /// The pressure in 1/256 Pa (datasheet 3.11.3, 64 bits), from a raw value of 20 bits and a temperature
    /// within the range. With constants that no chip has, two products could need more than 64 bits.
    func pressure(_ raw: Int64, fine: Int64) throws(SensorError) -> Int64 {
      let warmth = fine - 128_000  // less than 2²⁰
      let square = warmth * warmth
      let offset = square * p6 + ((warmth * p5) << 17) + (p4 << 35)
      let slope = ((square * p3) >> 8) + ((warmth * p2) << 12)
      let scale = try product((1 << 47) + slope, p1) >> 33
      guard scale > 0 else { throw .implausible }
      let first = try product(((1_048_576 - raw) << 31) - offset, 3_125) / scale
      // In 1/65536 Pa; twice what the chip can measure keeps the rest within 64 bits.
      guard first >= 0, first < 1 << 34 else { throw .implausible }
      let quadratic = (p9 * (first >> 13) * (first >> 13)) >> 25
      let linear = (p8 * first) >> 19
      return ((first + quadratic + linear) >> 8) + (p7 << 4)
    }

    private func product(_ left: Int64, _ right: Int64) throws(SensorError) -> Int64 {
      let (product, overflow) = left.multipliedReportingOverflow(by: right)
      if overflow { throw .implausible }
      return product
    }
  }
}
