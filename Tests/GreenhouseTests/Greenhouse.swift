import DeviceBench
import DeviceRuntime
import Modules
import Simulation
import SwiftletTesting

/// `examples/greenhouse` as `swiftletd-simulator` runs it, but on a virtual clock and with a broker in memory.
final class Greenhouse {
  let bench: DeviceBench
  let fan: SimulatedOutputLine
  let door: SimulatedInputLine
  let air: SimulatedI2CTarget

  init(root: String) throws {
    let simulated = try SimulatedDevice(
      "\(root)/examples/greenhouse/device.yaml", kinds: ModuleKind.all, boards: "\(root)/boards",
      board: "simulator")
    let board = simulated.board
    guard let fan = board.output("fan"), let door = board.input("door"), let air = board.target("air") else {
      throw LacksHardware()
    }
    self.fan = fan
    self.door = door
    self.air = air
    bench = simulated.bench
  }

  struct LacksHardware: Error {}
}
