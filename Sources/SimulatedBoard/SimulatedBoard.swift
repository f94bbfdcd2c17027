import Boards
import DeviceFile
import DeviceProgram
import DeviceRuntime
import HAL
import Simulation

/// A chip that a simulated board can have: its model, by the name that drivers call it.
public struct ChipModel {
  public let chip: String
  public let make: (Environment, any MonotonicClock) -> any I2CTargetModel

  public init(_ chip: String, _ make: @escaping (Environment, any MonotonicClock) -> any I2CTargetModel) {
    self.chip = chip
    self.make = make
  }
}

/// A board of models: every line works, and every chip that is claimed is on its bus, each in a corner of its own of
/// the air of a summer day. What it gave out can be found again by the name of the module that has it.
public final class SimulatedBoard: LineProvider, I2CProvider {
  public let environment: Environment
  public private(set) var outputs: [(name: String, line: SimulatedOutputLine)] = []
  public private(set) var inputs: [(name: String, line: SimulatedInputLine)] = []
  public private(set) var targets: [(name: String, target: SimulatedI2CTarget)] = []
  private(set) var chips: [SimulatedChip] = []
  private let clock: any MonotonicClock
  private let models: [ChipModel]
  private let queues: (BusDescription) throws(HardwareError) -> any WorkQueue
  private var buses: [(device: String, bus: SimulatedI2CBus)] = []

  public init(
    _ models: [ChipModel], clock: any MonotonicClock, environment: Environment? = nil,
    queues: @escaping (BusDescription) throws(HardwareError) -> any WorkQueue
  ) {
    self.models = models
    self.clock = clock
    self.queues = queues
    self.environment = environment ?? DayCycle(clock: clock)
  }

  /// The board as what a program opens, and what the program's device starts: the world around it.
  public var hardware: DeviceHardware {
    let hardware = DeviceHardware()
    hardware.lines = self
    hardware.i2c = self
    hardware.parts = { [self] in [SimulatedWorld(self)] }
    return hardware
  }

  public func open(_ outputs: [OutputClaim], _ problems: inout [HardwareError]) {
    for output in outputs {
      let line = SimulatedOutputLine(startsActive: output.startsActive)
      self.outputs.append((output.claimant.name, line))
      output.opened(line)
    }
  }

  public func open(_ input: InputClaim) throws(HardwareError) {
    let line = SimulatedInputLine()
    inputs.append((input.claimant.name, line))
    input.opened(line)
  }

  public func open(_ target: TargetClaim, on bus: BusDescription) throws(HardwareError) {
    let address = target.address ?? 0
    let simulated = simulated(bus)
    guard let model = models.first(where: { $0.chip.equals(target.chip) }) else {
      throw HardwareError("\(target.claimant.title): there is no model of \(target.chip)")
    }
    let queue = try queues(bus)
    let corner = Environment(inside: environment)
    let makeModel = { [clock] in model.make(corner, clock) }
    let place = simulated.attach(makeModel(), at: address)
    targets.append((target.claimant.name, place))
    chips.append(
      SimulatedChip(
        name: target.claimant.name, target: place, environment: corner, queue: queue, makeModel: makeModel))
    target.opened(place, queue: queue)
  }

  /// Each bus has its own targets, as each has its own queue.
  private func simulated(_ bus: BusDescription) -> SimulatedI2CBus {
    for entry in buses where entry.device.equals(bus.device) { return entry.bus }
    let simulated = SimulatedI2CBus()
    buses.append((bus.device, simulated))
    return simulated
  }

  public func output(_ name: String) -> SimulatedOutputLine? { outputs.first { $0.name.equals(name) }?.line }
  public func input(_ name: String) -> SimulatedInputLine? { inputs.first { $0.name.equals(name) }?.line }
  public func target(_ name: String) -> SimulatedI2CTarget? { targets.first { $0.name.equals(name) }?.target }
}
