import HAL
import Units

/// A DPS310 in the simulated air: single measurements by command and in the background, oversampling with its scale,
/// its time and the shift it needs, soft reset. A queue that is switched on is always empty; interrupts are not
/// modelled.
///
/// The raw temperature is the solution of the datasheet's straight line, the raw pressure is found by
/// bisection of its polynomial.
///
/// Source: Infineon *DPS310*, version 1.2: 4.5 "Measurement modes", 4.9 "Calibration and measurement
/// compensation", 7 "Register map", 8 "Register description"; openbmc/openbmc, issue 2003, and "Temperature
/// measurement issue" of Infineon's library, for the fuse.
public final class DPS310Model: RegisterModel, SensorModel {
  /// Registers 0x06…0x09: pressure, temperature, command, shifts.
  private var settings: InlineArray<4, UInt8> = [0, 0, 0, 0]
  private var pressure: UInt32 = 0
  private var temperature: UInt32 = 0
  private var isPressureReady = false
  private var isTemperatureReady = false
  private var result: UInt32 = 0
  private var ends: Instant?
  /// The calibration is there from then on.
  private var loaded: Instant
  private let isFuseBlown: Bool
  /// Registers 0x0E, 0x0F, and bit 1 of 0x32.
  private var key: InlineArray<2, UInt8> = [0, 0]
  private var isGainSet: Bool

  private static let c0: Int64 = 214
  private static let c1: Int64 = -288
  private static let c00: Int64 = 80_412
  private static let c10: Int64 = -55_420
  private static let c20: Int64 = -9_812
  private static let c30: Int64 = -1_305
  private static let c01: Int64 = -2_718
  private static let c11: Int64 = 1_388
  private static let c21: Int64 = 134

  public convenience init(environment: Environment, clock: any MonotonicClock) {
    self.init(environment: environment, clock: clock, isFuseBlown: true)
  }

  /// Where the fuse of the temperature's gain was not blown, raw temperatures are half of what they should be until
  /// the gain is set by hand.
  public init(environment: Environment, clock: any MonotonicClock, isFuseBlown: Bool) {
    self.isFuseBlown = isFuseBlown
    isGainSet = isFuseBlown
    loaded = clock.now
    super.init(environment: environment, clock: clock, writes: .consecutive)
  }

  public override func write(_ register: UInt8, _ value: UInt8) {
    switch register {
    case 0x06, 0x07, 0x09: settings[Int(register) - 6] = value
    case 0x08:
      command(value & 0b111)
    case 0x0C where value & 0x0F == 0b1001:
      settings = [0, 0, 0, 0]
      isPressureReady = false
      isTemperatureReady = false
      ends = nil
      key = [0, 0]
      isGainSet = isFuseBlown
      loaded = clock.now + .milliseconds(40)
    case 0x0E, 0x0F: key[Int(register) - 0x0E] = value
    case 0x62 where key[0] == 0xA5 && key[1] == 0x96: isGainSet = value & 0b10 != 0
    default: break
    }
  }

  public override func read(_ register: UInt8, fault: Fault?) -> UInt8 {
    switch register {
    case 0x00...0x02 where settings[3] & 0b10 != 0: return register == 0 ? 0x80 : 0  // an empty queue
    case 0x00...0x02:
      isPressureReady = false
      return UInt8(truncatingIfNeeded: pressure >> (8 * UInt32(0x02 - register)))
    case 0x03...0x05:
      isTemperatureReady = false
      return UInt8(truncatingIfNeeded: temperature >> (8 * UInt32(0x05 - register)))
    case 0x06, 0x07, 0x09: return settings[Int(register) - 6]
    case 0x08:
      return (clock.now < loaded ? 0 : 0xC0) | (isTemperatureReady ? 0x20 : 0) | (isPressureReady ? 0x10 : 0)
        | settings[2]
    case 0x0D:
      if case .wrongIdentity(let other) = fault { return other }
      return 0x10
    case 0x10...0x21 where clock.now < loaded: return 0
    case 0x10...0x21: return Self.coefficient(at: register)
    case 0x28: return 0x80  // calibrated with the sensor in the pressure cell
    case 0x32: return isGainSet ? 0b10 : 0
    default: return 0
    }
  }

  /// Register 0x10…0x21: c0 and c1 in 12 bits, c00 and c10 in 20, c01, c11, c20, c21 and c30 in 16.
  private static func coefficient(at register: UInt8) -> UInt8 {
    let bits =
      switch register {
      case 0x10...0x12: (c0 & 0xFFF) << 12 | c1 & 0xFFF
      case 0x13...0x17: (c00 & 0xFFFFF) << 20 | c10 & 0xFFFFF
      case 0x18, 0x19: c01
      case 0x1A, 0x1B: c11
      case 0x1C, 0x1D: c20
      case 0x1E, 0x1F: c21
      default: c30
      }
    let last: UInt8 = register <= 0x12 ? 0x12 : register <= 0x17 ? 0x17 : register | 1
    return UInt8(truncatingIfNeeded: bits >> (8 * Int(last - register)))
  }

  /// Samples of a setting, 1 … 128.
  private static func samples(_ setting: UInt8) -> Int { 1 << Int(setting & 0b111) }

  /// Begins what the command says: 1 measures the pressure, 2 the temperature, 5 to 7 one or both in the background,
  /// once and again until it is stopped.
  private func command(_ command: UInt8) {
    if isInBackground, command == 1 || command == 2 { return }
    settings[2] = command
    switch command {
    case 1, 2:
      let isPressure = command == 1
      result = raw(isPressure: isPressure)
      let samples = Self.samples(settings[isPressure ? 0 : 1])
      ends = clock.now + .microseconds(2_000 + 1_600 * samples)
    case 5...7: ends = clock.now + .milliseconds(100)
    default: ends = nil
    }
  }

  private var isInBackground: Bool { settings[2] & 0b100 != 0 }

  /// What is measured now.
  private func raw(isPressure: Bool) -> UInt32 {
    let samples = Self.samples(settings[isPressure ? 0 : 1])
    let isShifted = settings[3] & (isPressure ? 0b0100 : 0b1000) != 0
    let scale = Double(samples * 2 - 1) * 524_288 / (isShifted ? 64 : 1)
    // The chip's other thermometer (bit 7 clear) is not the one the coefficients belong to.
    let isOther = !isPressure && settings[1] & 0x80 == 0
    let warmth = (temperatureShare() + (isOther ? 0.125 : 0)) / (isGainSet ? 1 : 2)
    let share = isPressure ? pressureShare() : warmth
    // What does not fit 24 bits loses its upper ones: more than eight samples need the shift.
    let raw = Int64(share * scale + (share < 0 ? -0.5 : 0.5))  // rounded() would need libm
    return UInt32(truncatingIfNeeded: raw) & 0xFF_FFFF
  }

  private func temperatureShare() -> Double {
    (Double(environment.thousandths(of: .temperature)) / 1_000 - Double(Self.c0) / 2) / Double(Self.c1)
  }

  /// Bisection: the higher the share, the lower the pressure.
  private func pressureShare() -> Double {
    let warmth = temperatureShare()
    let wanted = Double(environment.thousandths(of: .pressure)) / 10
    var low = -2.0
    var high = 2.0
    for _ in 0..<40 {
      let middle = (low + high) / 2
      if Self.pascals(middle, warmth: warmth) > wanted { low = middle } else { high = middle }
    }
    return high
  }

  private static func pascals(_ p: Double, warmth t: Double) -> Double {
    let cold = Double(c00) + Double(c10) * p + Double(c20) * p * p + Double(c30) * p * p * p
    return cold + t * (Double(c01) + Double(c11) * p + Double(c21) * p * p)
  }

  /// Brings the registers to the present: a command ends with its flag set and the chip asleep.
  public override func settle(_ fault: Fault?) {
    guard let ends, clock.now >= ends, fault != .neverReady else { return }
    if isInBackground {
      if settings[2] & 0b01 != 0 { pressure = raw(isPressure: true) }
      if settings[2] & 0b10 != 0 { temperature = raw(isPressure: false) }
      isPressureReady = isPressureReady || settings[2] & 0b01 != 0
      isTemperatureReady = isTemperatureReady || settings[2] & 0b10 != 0
      self.ends = clock.now + .milliseconds(100)
      return
    }
    self.ends = nil
    if settings[2] == 1 {
      pressure = result
      isPressureReady = true
    } else {
      temperature = result
      isTemperatureReady = true
    }
    settings[2] = 0
  }
}
