import Configuration
import Drivers
import HAL
import Modules
import Simulation
import Units

/// The drivers this program has, by the name a device file calls them: one line a chip.
enum DriverCatalog: CaseIterable {
  case tmp105, lm75, sht3x, bmp280, dps310

  /// What the configuration has to know of the driver.
  var description: DriverDescription {
    switch self {
    case .tmp105: describe(TMP105.self)
    case .lm75: describe(LM75.self)
    case .sht3x: describe(SHT3x.self)
    case .bmp280: describe(BMP280.self)
    case .dps310: describe(DPS310.self)
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

  private func describe<Driver: I2CSensor>(_ driver: Driver.Type) -> DriverDescription {
    var addresses = [Driver.usualAddress]
    for address: UInt8 in 0...0x7F where Driver.allows(address) && address != Driver.usualAddress {
      addresses.append(address)
    }
    var names: [String] = []
    Driver.forEachChannel { names.append($0.name.description) }
    return DriverDescription(
      name: Driver.name.description, addresses: addresses,
      shortestPeriodMilliseconds: Driver.shortestPeriod.milliseconds, quantities: names)
  }
}
