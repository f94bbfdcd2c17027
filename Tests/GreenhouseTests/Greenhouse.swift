import Boards
import Configuration
import DeviceBench
import DeviceProgram
import DeviceRuntime
import HAL
import MQTTConnection
import Modules
import SimulatedBoard
import Simulation

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
      try Files.read(path).get(),
      features: ConfigurationFeatures(
        kinds: ModuleKind.all, transports: MQTTTransport.all, hasOutbox: true, hasScram: true),
      board: "simulator", surroundings: Files(deviceFile: path, boards: "\(root)/boards"))
    let clock = VirtualClock()
    let queue = SimulatedWorkQueue()
    let board = SimulatedBoard(ChipModel.all, clock: clock) { _ in queue }
    let composition = Composition(
      configuration: configuration, hardware: board.hardware, clock: clock, log: RecordingLog())
    let problems = composition.open()
    guard problems.isEmpty, let device = composition.device(randomSeed: 1) else {
      throw Failure.doesNotCompose(problems.map(\.text.text))
    }
    guard let fan = board.output("fan"), let door = board.input("door"), let air = board.target("air") else {
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
