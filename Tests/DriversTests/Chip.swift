import Chips
import Drivers
import HAL
import Simulation
import Testing
import Units

/// One chip of the contract sweep: what its driver says of it, a bench with its model, and what its documentation
/// promises.
struct Chip: CustomTestStringConvertible, Sendable {
  let name: String
  let shortestPeriod: Duration
  let channels: [Channel]
  let identity: RegisterIdentity?
  /// With noise, the model's answers are spoiled by it.
  let makeBench: @Sendable (Environment, Noise?) -> Bench
  let promises: Promises

  var testDescription: String { name }
}

/// A chip whose driver promises something: every one that is asked. (What talks by itself on a serial line promises
/// something else.) The chip's own file in `Chips/` says so.
protocol ChipPromises: SensorFacts {
  static var promises: Promises { get }
}

/// What a driver's documentation promises.
struct Promises: Sendable {
  /// Where the whole range is swept.
  var sweep: @Sendable () -> [Air]
  /// How far off each channel may be, in thousandths of its unit, within the datasheet's resolution.
  var within: [Double]

  /// Whether it protects its answers, and says when a conversion has ended.
  var hasChecksum = false
  var hasReadyFlag = false
  /// A missing acknowledgement of the last transfer of a reading means that the chip is not ready.
  var lastMeansNotReady = false
  /// A missing acknowledgement of the first transfer of a first reading means nothing: the chip may be busy.
  var firstMayBeRefused = false
  /// What is said of a chip that is not there.
  var absentIs = SensorError.bus(.noAcknowledge)
  /// The conversion begins with `collect`: what happens to the chip before that does not matter.
  var convertsInCollect = false
  /// A chip that lost power yields its value after power-up, and nothing tells that from a measured one.
  var hidesPowerLoss = false
  /// How long the chip is to be left alone between readings.
  var pause = Duration.zero
  /// What other programs write, write by write, beyond a single byte in a single register.
  var otherPrograms: [[[UInt8]]] = []

  /// Bytes on the wire of a reading once the chip is known, addresses included.
  let warmBytes: Int
  /// How long a reading waits once the chip is known.
  let warmTime: Duration
}

extension Chip {
  /// Every chip that is asked, with what it promises, sorted by its name.
  static let all: [Chip] = {
    var chips = ChipCollector()
    forEachChip(&chips)
    return chips.chips.sorted { $0.name.lowercased() < $1.name.lowercased() }
  }()

  static func named(_ name: String) throws -> Chip { try #require(all.first { $0.name == name }) }
}

private struct ChipCollector: ChipVisitor {
  var chips: [Chip] = []

  mutating func sensor<Driver: I2CSensor, Model: I2CTargetModel & SensorModel>(
    _ driver: Driver.Type, _ model: Model.Type
  ) {
    guard let promises = (driver as? any ChipPromises.Type)?.promises else { return }
    chips.append(Chip(driver, promises) { Model(environment: $0, clock: $1) })
  }

  mutating func sensor<Driver: SPISensor, Model: SPITargetModel & SensorModel>(
    _ driver: Driver.Type, _ model: Model.Type
  ) {
    guard let promises = (driver as? any ChipPromises.Type)?.promises else { return }
    chips.append(Chip(driver, promises) { Model(environment: $0, clock: $1) })
  }

  mutating func sensor<Driver: KernelSensor, Model: KernelDeviceModel & SensorModel>(
    _ driver: Driver.Type, _ model: Model.Type
  ) {
    guard let promises = (driver as? any ChipPromises.Type)?.promises else { return }
    chips.append(Chip(driver, promises) { Model(environment: $0, clock: $1) })
  }
}

extension Chip {
  init<Driver: I2CSensor>(
    _ driver: Driver.Type, _ promises: Promises,
    model: @escaping @Sendable (Environment, any MonotonicClock) -> any I2CTargetModel
  ) {
    self.init(driver, promises, identity: Driver.identity) { environment, noise in
      let clock = VirtualClock()
      let bus = SimulatedI2CBus()
      let target = bus.target(at: Driver.usualAddress)
      return Bench(
        Driver(target), target: target, clock: clock, environment: environment, pause: promises.pause
      ) {
        let model = model(environment, clock)
        target.model = if let noise { NoisyI2CTarget(model, noise) } else { model }
      }
    }
  }

  init<Driver: SPISensor>(
    _ driver: Driver.Type, _ promises: Promises,
    model: @escaping @Sendable (Environment, any MonotonicClock) -> any SPITargetModel
  ) {
    self.init(driver, promises) { environment, noise in
      let clock = VirtualClock()
      let target = SimulatedSPIDevice()
      return Bench(
        Driver(target), target: target, clock: clock, environment: environment, pause: promises.pause
      ) {
        let model = model(environment, clock)
        target.model = if let noise { NoisySPITarget(model, noise) } else { model }
      }
    }
  }

  init<Driver: KernelSensor>(
    _ driver: Driver.Type, _ promises: Promises,
    model: @escaping @Sendable (Environment, any MonotonicClock) -> any KernelDeviceModel
  ) {
    self.init(driver, promises) { environment, noise in
      let clock = VirtualClock()
      let target = SimulatedKernelDevice()
      return Bench(
        Driver(target), target: target, clock: clock, environment: environment, pause: promises.pause
      ) {
        let model = model(environment, clock)
        target.model = if let noise { NoisyKernelDevice(model, noise) } else { model }
      }
    }
  }

  private init<Driver: Sensor>(
    _ driver: Driver.Type, _ promises: Promises, identity: RegisterIdentity? = nil,
    makeBench: @escaping @Sendable (Environment, Noise?) -> Bench
  ) {
    var channels: [Channel] = []
    Driver.forEachChannel { channels.append($0) }
    self.init(
      name: Driver.name.description, shortestPeriod: Driver.shortestPeriod, channels: channels,
      identity: identity, makeBench: makeBench, promises: promises)
  }
}

/// What it is like around a chip, in thousandths of each quantity's unit.
struct Air: Sendable, CustomStringConvertible {
  private(set) var values: [(quantity: Quantity, key: StaticString, thousandths: Int64)] = [
    (.temperature, "", 21_000), (.humidity, "", 45_000), (.pressure, "", 990_000),
  ]

  init(_ values: (quantity: Quantity, thousandths: Int64)...) {
    for value in values { self[value.quantity, ""] = value.thousandths }
  }

  subscript(quantity: Quantity, key: StaticString) -> Int64 {
    get {
      index(quantity, key).map { values[$0].thousandths }
        ?? (key.description.isEmpty ? 0 : self[quantity, ""])
    }
    set {
      if let index = index(quantity, key) {
        values[index].thousandths = newValue
      } else {
        values.append((quantity, key, newValue))
      }
    }
  }

  var description: String {
    values.map { "\($0.quantity.name) \($0.key) \($0.thousandths)" }.joined(separator: ", ")
  }

  private func index(_ quantity: Quantity, _ key: StaticString) -> Int? {
    values.firstIndex { $0.quantity == quantity && $0.key.description == key.description }
  }

  /// The thousandths that so many steps are.
  static func nearest(_ steps: Int, step: Double) -> Int64 {
    Int64((Double(steps) * step).rounded())
  }

  /// Two fine lines and a coarse plane, from −40 to 85 °C and from 300 hPa.
  static func barometerSweep(upTo hectopascals: Int64) -> [Air] {
    let warm = (-800...1_700).map { Air((.temperature, $0 * 50)) }
    let high = (1_200...hectopascals * 4).map { Air((.pressure, $0 * 250)) }
    let plane = (Int64(-16)...34).flatMap { temperature in
      (60...hectopascals / 5).map { Air((.temperature, temperature * 2_500), (.pressure, $0 * 5_000)) }
    }
    return warm + high + plane
  }
}
