import HAL
import Units

/// A BMP280 in the simulated air: forced and normal mode, oversampling with its resolution and its time, soft reset,
/// and the calibration of the datasheet's example. Of the filter only this is modelled: while it is on, results
/// lag behind, at the middle between the last one and what is measured.
///
/// Raw values are found by bisection of the datasheet's floating-point formulas.
///
/// Source: Bosch Sensortec BST-BMP280-DS001: 3.3 "Measurement flow", 3.8.1 "Measurement time",
/// 3.11 "Output compensation", 4 "Memory map", 8.1 "Compensation formula in double
/// precision floating point". What a sagging supply does is no datasheet's: esphome/issues, issue 3383, and
/// BoschSensortec/BMP280_driver, issue 21.
public final class BMP280Model: RegisterModel, SensorModel {
  private var control: UInt8 = 0
  private var configuration: UInt8 = 0
  private var rawPressure: UInt32 = 0x80000
  private var rawTemperature: UInt32 = 0x80000
  private var nextPressure: UInt32 = 0
  private var nextTemperature: UInt32 = 0
  private var ends: Instant?
  /// The calibration is there from then on.
  private var loaded: Instant
  private let identity: UInt8
  private var brownOut: BrownOut?

  /// What a supply that sagged, but not so far that the chip began anew, leaves behind until a reset.
  public enum BrownOut: Sendable {
    /// Results stay what they are.
    case frozen
    /// The pressure alone stays what it is.
    case frozenPressure
    /// The same, and a reset does not help: the chip is broken.
    case brokenPressure
    /// The pressure is some 30 % too low.
    case low
  }

  /// T1…T3, P1…P9 as their registers hold them.
  private let calibration: InlineArray<12, UInt16> = [
    27_504, 26_435, UInt16(bitPattern: -1_000), 36_477, UInt16(bitPattern: -10_685), 3_024, 2_855, 140,
    UInt16(bitPattern: -7), 15_500, UInt16(bitPattern: -14_600), 6_000,
  ]

  public convenience init(environment: Environment, clock: any MonotonicClock) {
    self.init(environment: environment, clock: clock, identity: 0x58)
  }

  /// `identity`: 0x58; the first chips have 0x56 or 0x57.
  public init(environment: Environment, clock: any MonotonicClock, identity: UInt8) {
    self.identity = identity
    loaded = clock.now
    super.init(environment: environment, clock: clock, writes: .pairs)
  }

  /// The supply sags, and comes back.
  public func sag(_ brownOut: BrownOut) { self.brownOut = brownOut }

  public override func write(_ register: UInt8, _ value: UInt8) {
    switch register {
    case 0xE0 where value == 0xB6:
      control = 0
      configuration = 0
      rawTemperature = 0x80000
      ends = nil
      if brownOut != .brokenPressure {
        rawPressure = 0x80000
        brownOut = nil
      }
      loaded = clock.now + .milliseconds(2)
    case 0xF4:
      control = value
      if mode != 0, ends == nil { convert() }
    case 0xF5: configuration = value
    default: break
    }
  }

  public override func read(_ register: UInt8, fault: Fault?) -> UInt8 {
    switch register {
    case 0x88...0x9F where clock.now < loaded: return 0
    case 0x88...0x9F:
      let word = calibration[Int(register - 0x88) / 2]
      return UInt8(truncatingIfNeeded: register % 2 == 0 ? word : word >> 8)
    case 0xD0:
      if case .wrongIdentity(let other) = fault { return other }
      return identity
    case 0xF3: return (ends == nil ? 0 : 0b1000) | (clock.now < loaded ? 1 : 0)
    case 0xF4: return control
    case 0xF5: return configuration
    case 0xF7...0xF9: return UInt8(truncatingIfNeeded: (rawPressure << 4) >> (8 * UInt32(0xF9 - register)))
    case 0xFA...0xFC: return UInt8(truncatingIfNeeded: (rawTemperature << 4) >> (8 * UInt32(0xFC - register)))
    default: return 0
    }
  }

  private var mode: UInt8 { control & 0b11 }

  /// How many samples a setting of three bits asks for.
  private static func samples(_ setting: UInt8) -> Int64 {
    setting == 0 ? 0 : 1 << Int64(min(setting, 5) - 1)
  }

  /// Begins a conversion; the times are the longest the datasheet allows.
  private func convert() {
    let temperatureSamples = Self.samples(control >> 5)
    let pressureSamples = Self.samples(control >> 2 & 0b111)
    nextTemperature = Self.quantized(findTemperature(), samples: temperatureSamples)
    nextPressure = Self.quantized(findPressure(), samples: pressureSamples)
    let pressureTime = pressureSamples == 0 ? 0 : 575 + 2_300 * pressureSamples
    ends = clock.now + .microseconds(1_250 + 2_300 * temperatureSamples + pressureTime)
  }

  /// The nearest value of the resolution: 16 bits for one sample, one bit more for each doubling.
  private static func quantized(_ raw: UInt32, samples: Int64) -> UInt32 {
    if samples == 0 { return 0x80000 }
    let step = 16 / UInt32(samples)
    return min(raw + step / 2, 0xFFFFF) & ~(step - 1)
  }

  /// Brings the registers to the present.
  public override func settle(_ fault: Fault?) {
    guard let ends, clock.now >= ends, fault != .neverReady else { return }
    self.ends = nil
    if mode == 0b11 { convert() } else { control &= ~0b11 }
    if brownOut == .frozen { return }
    let isFiltered = configuration >> 2 & 0b111 != 0 && rawPressure != 0x80000
    rawTemperature = isFiltered ? (rawTemperature + nextTemperature) / 2 : nextTemperature
    if brownOut == .frozenPressure || brownOut == .brokenPressure { return }
    rawPressure = isFiltered ? (rawPressure + nextPressure) / 2 : nextPressure
  }
}

extension BMP280Model {
  /// The lowest raw value of 20 bits for which the condition, once true, stays true.
  private func lowest(where condition: (Double) -> Bool) -> UInt32 {
    var low: UInt32 = 0
    var high: UInt32 = 0xFFFFF
    while low < high {
      let middle = (low + high) / 2
      if condition(Double(middle)) { high = middle } else { low = middle + 1 }
    }
    return low
  }

  private func findTemperature() -> UInt32 {
    let wanted = Double(environment.thousandths(of: .temperature)) / 1_000 * 5_120
    return lowest { fineTemperature($0) >= wanted }
  }

  private func findPressure() -> UInt32 {
    let fine = Double(environment.thousandths(of: .temperature)) / 1_000 * 5_120
    let wanted = Double(environment.thousandths(of: .pressure)) / (brownOut == .low ? 14.5 : 10)
    return lowest { pascals($0, fine: fine) <= wanted }
  }

  private func unsigned(_ index: Int) -> Double { Double(calibration[index]) }
  private func signed(_ index: Int) -> Double { Double(Int16(bitPattern: calibration[index])) }

  /// In 1/5120 °C; the more, the warmer.
  private func fineTemperature(_ raw: Double) -> Double {
    let coarse = raw / 16_384 - unsigned(0) / 1_024
    let eighth = coarse / 8
    return coarse * signed(1) + eighth * eighth * signed(2)
  }

  /// The higher the raw value, the lower the pressure.
  private func pascals(_ raw: Double, fine: Double) -> Double {
    let t = fine / 2 - 64_000
    let offset = (t * t * signed(8) / 32_768 + t * signed(7) * 2) / 4 + signed(6) * 65_536
    let slope = (signed(5) * t * t / 524_288 + signed(4) * t) / 524_288
    let scale = (1 + slope / 32_768) * unsigned(3)
    let p = (1_048_576 - raw - offset / 4_096) * 6_250 / scale
    return p + (signed(11) * p * p / 2_147_483_648 + p * signed(10) / 32_768 + signed(9)) / 16
  }
}
