import Configuration
import Drivers
import HAL
import Modules
import Simulation
import Units

/// The drivers this program has, by the name a device file calls them: one line a chip.
enum DriverCatalog: CaseIterable {
  case tmp105, lm75, sht3x, bmp280, dps310

  /// What the configuration has to know of the driver. The shortest period, in ms, leaves room for the
  /// longest conversion (TMP105: 320 ms, LM75: 300 ms, the others below 50 ms).
  var description: DriverDescription {
    switch self {
    case .tmp105: describe("TMP105", TMP105.self, [.temperature], every: 500)
    case .lm75: describe("LM75", LM75.self, [.temperature], every: 500)
    case .sht3x: describe("SHT3x", SHT3x.self, [.temperature, .humidity], every: 100)
    case .bmp280: describe("BMP280", BMP280.self, [.temperature, .pressure], every: 100)
    case .dps310: describe("DPS310", DPS310.self, [.temperature, .pressure], every: 100)
    }
  }

  /// A probe that measures with the driver on the bus's queue.
  func probe(_ device: any I2CDevice, queue: any WorkQueue) -> any SensorProbe {
    switch self {
    case .tmp105: DriverProbe(TMP105(device), queue: queue)
    case .lm75: DriverProbe(LM75(device), queue: queue)
    case .sht3x: DriverProbe(SHT3x(device), queue: queue)
    case .bmp280: DriverProbe(BMP280(device), queue: queue)
    case .dps310: DriverProbe(DPS310(device), queue: queue)
    }
  }

  /// The chip's model, for the simulated board.
  func model(_ environment: Environment, clock: any MonotonicClock) -> any I2CTargetModel {
    switch self {
    case .tmp105: TMP105Model(environment: environment, clock: clock)
    case .lm75: LM75Model(environment: environment, clock: clock)
    case .sht3x: SHT3xModel(environment: environment, clock: clock)
    case .bmp280: BMP280Model(environment: environment, clock: clock)
    case .dps310: DPS310Model(environment: environment, clock: clock)
    }
  }

  static var descriptions: [DriverDescription] { allCases.map { $0.description } }

  static func named(_ name: String) -> DriverCatalog? {
    allCases.first { $0.description.name.isSame(as: name) }
  }

  private func describe<Driver: Sensor>(
    _ name: String, _ driver: Driver.Type, _ quantities: [Quantity], every shortestPeriod: Int64
  ) -> DriverDescription {
    var addresses = [Driver.defaultAddress]
    for address in Driver.addresses where address != Driver.defaultAddress { addresses.append(address) }
    return DriverDescription(
      name: name, addresses: addresses, shortestPeriodMilliseconds: shortestPeriod,
      quantities: quantities.map { $0.name.description })
  }
}
