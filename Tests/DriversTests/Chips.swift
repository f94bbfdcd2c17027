import Drivers
import HAL
import Simulation
import Testing
import Units

/// One chip of the contract sweep: its driver, its model, and what its documentation promises.
struct Chip: CustomTestStringConvertible, Sendable {
  let name: String
  let makeBench: @Sendable (Environment) -> Bench

  /// Where the whole range is swept.
  let sweep: @Sendable () -> [Air]
  /// What the driver yields in that air, within the datasheet's resolution.
  let expected: @Sendable (Air) -> [Expected]

  /// Whether it tells what it is, protects its answers, and says when a conversion has ended.
  var hasIdentity = false
  var hasChecksum = false
  var hasReadyFlag = false
  /// The transfers of a reading whose missing acknowledgement means that the chip is not ready.
  var notReadyTransfers: Set<Int> = []

  /// Bytes on the wire of a reading once the chip is known, addresses included.
  let warmBytes: Int
  /// How long a reading waits once the chip is known.
  let warmTime: Duration

  var testDescription: String { name }
}

/// What the air is like.
struct Air: Equatable, Sendable {
  var milliCelsius: Int32 = 21_000
  var milliPercent: Int32 = 45_000
  var milliPascals: Int32 = 99_000_000
}

/// A value in thousandths of the published unit, and how far off it may be.
struct Expected: Sendable {
  var quantity: Quantity
  var thousandths: Double
  var within: Double
}

extension Chip {
  static let all = [tmp105, lm75, sht3x, bmp280, dps310]

  static let tmp105 = Chip(
    name: "TMP105",
    makeBench: { Bench(TMP105.self, in: $0) { TMP105Model(environment: $0, clock: $1) } },
    sweep: { (-55 * 16...2_047).map { Air(milliCelsius: nearest($0, step: 62.5)) } },
    expected: { [temperature($0, within: 32)] },
    warmBytes: 12, warmTime: .milliseconds(320))

  static let lm75 = Chip(
    name: "LM75",
    makeBench: { Bench(LM75.self, in: $0) { LM75Model(environment: $0, clock: $1) } },
    sweep: { (-5_500...12_500).map { Air(milliCelsius: $0 * 10) } },
    expected: { [temperature($0, within: 250)] },
    warmBytes: 9, warmTime: .zero)

  /// Every raw value of both quantities, in different orders.
  static let sht3x = Chip(
    name: "SHT3x",
    makeBench: { Bench(SHT3x.self, in: $0) { SHT3xModel(environment: $0, clock: $1) } },
    sweep: {
      (0...65_535).map {
        Air(
          milliCelsius: nearest($0, step: 175_000.0 / 65_535) - 45_000,
          milliPercent: nearest($0 * 40_503 % 65_536, step: 100_000.0 / 65_535))
      }
    },
    expected: {
      [
        temperature($0, within: 2),
        Expected(quantity: .humidity, thousandths: Double($0.milliPercent), within: 2),
      ]
    },
    hasChecksum: true, hasReadyFlag: true, notReadyTransfers: [1],
    warmBytes: 10, warmTime: .milliseconds(16))

  static let bmp280 = Chip(
    name: "BMP280",
    makeBench: { Bench(BMP280.self, in: $0) { BMP280Model(environment: $0, clock: $1) } },
    sweep: { barometerSweep(upTo: 1_100) },
    // 0.16 Pa, and what the 2.5 mK steps of the temperature add to it
    expected: { [temperature($0, within: 10), pressure($0, within: 5)] },
    hasIdentity: true, hasReadyFlag: true,
    warmBytes: 16, warmTime: .milliseconds(44))

  static let dps310 = Chip(
    name: "DPS310",
    makeBench: { Bench(DPS310.self, in: $0) { DPS310Model(environment: $0, clock: $1) } },
    sweep: { barometerSweep(upTo: 1_200) },
    expected: { [temperature($0, within: 10), pressure($0, within: 3)] },
    hasIdentity: true, hasReadyFlag: true,
    warmBytes: 26, warmTime: .milliseconds(37))

  /// Two fine lines and a coarse plane.
  private static func barometerSweep(upTo hectopascals: Int32) -> [Air] {
    let warm = (-800...1_700).map { Air(milliCelsius: $0 * 50) }
    let high = (1_200...hectopascals * 4).map { Air(milliPascals: $0 * 25_000) }
    let plane = (Int32(-16)...34).flatMap { temperature in
      (60...hectopascals / 5).map {
        Air(milliCelsius: temperature * 2_500, milliPascals: $0 * 500_000)
      }
    }
    return warm + high + plane
  }

  private static func nearest(_ steps: Int, step: Double) -> Int32 {
    Int32((Double(steps) * step).rounded())
  }

  private static func temperature(_ air: Air, within: Double) -> Expected {
    Expected(quantity: .temperature, thousandths: Double(air.milliCelsius), within: within)
  }

  private static func pressure(_ air: Air, within: Double) -> Expected {
    Expected(quantity: .pressure, thousandths: Double(air.milliPascals) / 100, within: within)
  }
}
