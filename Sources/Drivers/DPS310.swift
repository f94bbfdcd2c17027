import HAL
import Units

/// DPS310 (and DPS368): barometer (300 … 1200 hPa, ±1 hPa, 0.5 Pa noise) with a thermometer
/// (−40 … +85 °C, ±0.5 °C).
///
/// Command mode: one temperature (single sample), then one pressure (16 samples); it sleeps between
/// measurements. The two are separate conversions, so this driver has an `advance`.
///
/// - The first `start`, and the first after an error, reads the identity (2 bytes written, 2 read), resets the chip
///   (3 bytes) and asks for 40 ms; then `advance` reads the state (2 and 2), where the calibration's temperature
///   comes from (twice 2 and 2) and the calibration (twice 2 and 19), and writes 15 bytes that mend the temperature
///   of some chips and 9 of settings. Every measurement writes 3 bytes and asks for 5 ms; `advance` reads
///   the temperature with settings and state (2 and 8), writes 3 bytes and asks for 32 ms; `collect` reads the
///   state (2 and 2) and the pressure (2 and 4), addresses included.
/// - The last digits of both results are noise in a working chip. When the pressure has been the same sixteen times in a
///   row, or the temperature sixty-four times, the next `start` resets the chip; what stays the same all the same is
///   `.estimated`.
/// - Some chips have a fuse that is not blown: they show some 60 °C in a room. The maker's cure is five writes to
///   undocumented registers, which do nothing to other chips; a reset undoes them.
/// - `.bus` when a transfer fails; `.wrongIdentity` when register 0x0D does not hold 0x10; `.checksum` when
///   the calibration is not the same twice; `.notReady` when a conversion has not ended or the chip has not
///   yet loaded its calibration (40 ms after a reset); `.implausible` when the calibration is not one that
///   a working chip has or the result is outside its range, or when its settings are not those of `start`: the chip
///   has lost power since, or somebody else has set it.
///
/// Source: Infineon *DPS310 Digital XENSIV Barometric Pressure Sensor*, version 1.2: 4.5 "Measurement
/// modes", 4.9 "Calibration and measurement compensation", 7 "Register map", 8 "Register description"; the cure
/// is in "Temperature measurement issue" of Infineon's DPS310-Pressure-Sensor library, and in openbmc/openbmc,
/// issue 2003.
public struct DPS310: I2CSensor {
  public static var name: StaticString { "DPS310" }
  public static var parts: StaticString { "DPS368" }
  public static var shortestPeriod: Duration { .milliseconds(100) }
  public static var usualAddress: UInt8 { 0x77 }
  public static func allows(_ address: UInt8) -> Bool { address >= 0x76 && address <= 0x77 }
  public static var identity: RegisterIdentity? { chip }

  private enum Register {
    static var pressure: UInt8 { 0x00 }
    static var temperature: UInt8 { 0x03 }
    static var pressureSettings: UInt8 { 0x06 }
    static var temperatureSettings: UInt8 { 0x07 }
    static var state: UInt8 { 0x08 }
    static var shifts: UInt8 { 0x09 }
    static var reset: UInt8 { 0x0C }
    static var coefficients: UInt8 { 0x10 }
    static var coefficientSource: UInt8 { 0x28 }
  }
  /// Bits of the state register; in its low bits a command is written.
  private enum State {
    static var calibrationLoaded: UInt8 { 0x80 }
    static var sensorReady: UInt8 { 0x40 }
    static var pressureReady: UInt8 { 0x10 }
    static var measurePressure: UInt8 { 0x01 }
    static var measureTemperature: UInt8 { 0x02 }
  }
  private static var chip: RegisterIdentity { RegisterIdentity(register: 0x0D, value: 0x10) }
  /// With an emptied queue.
  private static var softReset: UInt8 { 0b1000_1001 }
  /// The bits of the state register in which a command stands until it has been done.
  private static var command: UInt8 { 0b0000_0111 }
  private static var sixteenSamples: UInt8 { 4 }
  /// The results of more than eight samples must be shifted to fit their register.
  private static var shiftPressure: UInt8 { 0b0100 }

  private enum Phase {
    case asleep
    case resetting
    case temperature
    case pressure(rawTemperature: Int64)
  }

  private let registers: Registers
  /// Known while all is well.
  private var calibration: Calibration?
  /// A single sample, of the sensor the calibration was made with.
  private var temperatureSettings: UInt8 = 0
  private var phase: Phase = .asleep
  private var stuckPressure = StuckWatch(most: 16)
  private var stuckTemperature = StuckWatch(most: 64)

  public init(_ device: any I2CDevice) {
    registers = Registers(device: device)
  }

  public mutating func start() throws(SensorError) -> Duration {
    phase = .asleep
    if let calibration { return try measureTemperature(calibration) }
    try registers.check(Self.chip)
    try registers.write(Register.reset, Self.softReset)
    phase = .resetting
    return .milliseconds(40)
  }

  public mutating func advance() throws(SensorError) -> Duration? {
    switch phase {
    case .asleep, .pressure: return nil
    case .resetting:
      phase = .asleep
      return try measureTemperature(try setUp())
    case .temperature: return try measurePressure()
    }
  }

  private mutating func measureTemperature(_ current: Calibration) throws(SensorError) -> Duration {
    calibration = nil  // until this has gone well
    try registers.write(Register.state, State.measureTemperature)
    calibration = current
    phase = .temperature
    return .milliseconds(5)
  }

  private mutating func measurePressure() throws(SensorError) -> Duration {
    phase = .asleep
    let current = calibration
    calibration = nil  // until this has gone well
    let raw = try temperature()
    try registers.write(Register.state, State.measurePressure)
    calibration = current
    phase = .pressure(rawTemperature: raw)
    return .milliseconds(32)
  }

  public mutating func collect() throws(SensorError) -> BarometerMeasurement {
    guard case .pressure(let rawTemperature) = phase, let current = calibration else { throw .notReady }
    phase = .asleep
    calibration = nil  // until this has gone well
    let rawPressure = try pressure()
    var measurement = try current.measurement(rawTemperature: rawTemperature, rawPressure: rawPressure)
    let isPressureStuck = stuckPressure.take(rawPressure)
    let isTemperatureStuck = stuckTemperature.take(rawTemperature)
    measurement.pressureQuality = stuckPressure.quality
    measurement.temperatureQuality = stuckTemperature.quality
    if !isPressureStuck, !isTemperatureStuck { calibration = current }
    return measurement
  }

  /// The raw temperature, if its command has been done by a chip that has its settings. The flag of the result does
  /// not tell: reading the result clears it. That the chip takes a command away when it is done is in Infineon's library.
  private func temperature() throws(SensorError) -> Int64 {
    // Temperature (3), settings of pressure and temperature, state, shifts
    let answer: InlineArray<7, UInt8> = try registers.read(from: Register.temperature)
    guard answer[5] & Self.command == 0 else { throw .notReady }
    // Bit 7 of the pressure's and bit 3 of the temperature's settings are reserved.
    guard answer[3] & 0x7F == Self.sixteenSamples, answer[4] & 0xF7 == temperatureSettings,
      answer[6] == Self.shiftPressure
    else { throw .implausible }
    return signed(answer.bigEndian24(at: 0), bits: 24)
  }

  /// The raw pressure, if it is ready.
  private func pressure() throws(SensorError) -> Int64 {
    let state: InlineArray<1, UInt8> = try registers.read(from: Register.state)
    guard state[0] & State.pressureReady != 0 else { throw .notReady }
    let bytes: InlineArray<3, UInt8> = try registers.read(from: Register.pressure)
    return signed(bytes.bigEndian24(at: 0), bits: 24)
  }

  /// The calibration of a chip that was reset, and its settings.
  private mutating func setUp() throws(SensorError) -> Calibration {
    let state: InlineArray<1, UInt8> = try registers.read(from: Register.state)
    let ready = State.calibrationLoaded | State.sensorReady
    guard state[0] & ready == ready else { throw .notReady }
    let source: InlineArray<1, UInt8> = try registers.readTwice(from: Register.coefficientSource)
    let calibration = Calibration(try registers.readTwice(from: Register.coefficients))
    guard calibration.isPlausible else { throw .implausible }
    try mendTemperature()
    try registers.write(Register.pressureSettings, Self.sixteenSamples)
    temperatureSettings = source[0] & 0x80  // bit 7: the one in the pressure cell
    try registers.write(Register.temperatureSettings, temperatureSettings)
    try registers.write(Register.shifts, Self.shiftPressure)
    return calibration
  }

  /// Sets the gain that the fuse should have set, between a key and its removal.
  private func mendTemperature() throws(SensorError) {
    try registers.write(0x0E, 0xA5)
    try registers.write(0x0F, 0x96)
    try registers.write(0x62, 0x02)
    try registers.write(0x0E, 0x00)
    try registers.write(0x0F, 0x00)
  }
}

extension DPS310 {
  /// The constants of one chip, and how they turn its raw results into physical values.
  struct Calibration {
    let c0, c1: Int64
    let c00, c10, c20, c30: Int64
    let c01, c11, c21: Int64

    /// Full scale of one sample of temperature, and of sixteen of pressure (datasheet 4.9.3).
    static var temperatureScale: Int64 { 524_288 }
    static var pressureScale: Int64 { 253_952 }

    /// From registers 0x10…0x21: two numbers of 12 bits, two of 20, five of 16.
    init(_ bytes: InlineArray<18, UInt8>) {
      func signed16(_ index: Int) -> Int64 { Int64(Int16(bitPattern: bytes.bigEndian16(at: index))) }
      c0 = signed(bytes.bigEndian24(at: 0) >> 12, bits: 12)
      c1 = signed(bytes.bigEndian24(at: 0) & 0xFFF, bits: 12)
      c00 = signed(bytes.bigEndian24(at: 3) >> 4, bits: 20)
      c10 = signed(bytes.bigEndian24(at: 5) & 0xFFFFF, bits: 20)
      c01 = signed16(8)
      c11 = signed16(10)
      c20 = signed16(12)
      c21 = signed16(14)
      c30 = signed16(16)
    }

    /// Warmer means a lower raw temperature, and more pressure a lower raw pressure, in every working
    /// chip; neither is so when all bits are zeros or ones.
    var isPlausible: Bool {
      c1 < -1 && c10 < -1 && c00 > 0
    }

    /// A degree and ten hectopascals beyond the datasheet's range still count, for rounding at its edges.
    func measurement(
      rawTemperature: Int64, rawPressure: Int64
    ) throws(SensorError) -> BarometerMeasurement {
      let milliCelsius =
        c0 * 500 + divideRounding(c1 * 1_000 * rawTemperature, by: Self.temperatureScale)
      guard milliCelsius >= -41_000, milliCelsius <= 86_000 else { throw .implausible }
      let milliPascals = try pressure(
        scaled(rawPressure, by: Self.pressureScale), warmth: scaled(rawTemperature, by: Self.temperatureScale)
      )
      guard milliPascals >= 29_000_000, milliPascals <= 121_000_000 else { throw .implausible }
      return BarometerMeasurement(
        temperature: Temperature(milliCelsius: Int32(milliCelsius)),
        pressure: Pressure(milliPascals: Int32(milliPascals)))
    }

    /// The share of the full scale, in units of 2⁻²¹. Beyond twice the scale no chip is in its range.
    private func scaled(_ raw: Int64, by scale: Int64) throws(SensorError) -> Int64 {
      guard abs(raw) <= 2 * scale else { throw .implausible }
      return divideRounding(raw << 21, by: scale)
    }

    /// In millipascals (datasheet 4.9.1), from shares of at most 2²² (twice the scale), by Horner's rule.
    /// Each polynomial has 21 binary decimals and stays below 2⁴¹, its product with a share below 2⁶³.
    private func pressure(_ share: Int64, warmth: Int64) -> Int64 {
      func times(_ coefficients: Int64, _ share: Int64) -> Int64 { (coefficients * share) >> 21 }
      let quadratic = (c20 << 21) + c30 * share  // below 2³⁶ + 2³⁷
      let linear = (c10 << 21) + times(quadratic, share)  // below 2⁴⁰ + 2³⁹
      let base = (c00 << 21) + times(linear, share)
      let warmLinear = (c11 << 21) + c21 * share
      let warm = (c01 << 21) + times(warmLinear, share)
      return divideRounding((base + times(warm, warmth)) * 1_000, by: 1 << 21)
    }
  }
}
