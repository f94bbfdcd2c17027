import Configuration
import DeviceBench
import DeviceRuntime
import HAL
import Simulation

@testable import swiftletd

/// `examples/greenhouse` as `swiftletd --board simulator` runs it, but on a virtual clock and with a broker in
/// memory.
final class Greenhouse {
  let bench: DeviceBench
  let fan: SimulatedOutputLine
  let door: SimulatedInputLine
  let air: SimulatedI2CTarget

  init(root: String) throws {
    let path = "\(root)/examples/greenhouse/device.yaml"
    let configuration = try DeviceConfiguration.load(
      try Files.read(path).get(), drivers: DriverCatalog.descriptions, board: "simulator",
      surroundings: Files(deviceFile: path, boards: "\(root)/boards"))
    let clock = VirtualClock()
    let queue = SimulatedWorkQueue()
    let hardware = TappedHardware(SimulatedHardware(clock: clock) { _ in queue })
    let composition = Composition(
      configuration: configuration, hardware: hardware, clock: clock, log: RecordingLog())
    let (modules, problems) = composition.modules()
    guard problems.isEmpty, let device = composition.device(modules, randomSeed: 1) else {
      throw Failure.doesNotCompose(problems.map(\.text.text))
    }
    guard let fan = hardware.fan, let door = hardware.door, let air = hardware.air else {
      throw Failure.lacksHardware
    }
    self.fan = fan
    self.door = door
    self.air = air
    bench = DeviceBench(clock: clock, queue: queue, device: device)
  }

  enum Failure: Error {
    case doesNotCompose([String])
    case lacksHardware
  }
}

/// The simulated board, with a hand on what it gave out.
private final class TappedHardware: Hardware {
  private let board: SimulatedHardware
  private(set) var fan: SimulatedOutputLine?
  private(set) var door: SimulatedInputLine?
  private(set) var air: SimulatedI2CTarget?

  init(_ board: SimulatedHardware) {
    self.board = board
  }

  func output(_ line: LineDescription, for relay: RelayDescription) throws(HardwareError) -> any OutputLine {
    let output = try board.output(line, for: relay)
    fan = output as? SimulatedOutputLine
    return output
  }

  func input(_ line: LineDescription, for button: ButtonDescription) throws(HardwareError) -> any InputLine {
    let input = try board.input(line, for: button)
    door = input as? SimulatedInputLine
    return input
  }

  func device(_ bus: BusDescription, for sensor: SensorDescription, driver: DriverCatalog) -> any I2CDevice {
    let device = board.device(bus, for: sensor, driver: driver)
    air = device as? SimulatedI2CTarget
    return device
  }

  func queue(_ bus: BusDescription) throws(HardwareError) -> any WorkQueue {
    try board.queue(bus)
  }
}
