import DeviceProgram
import DeviceRuntime
import Drivers
import Modules
import SimulatedBoard
import VisitCounter

/// The same on a board of models.
@main
enum Main {
  static func main() {
    Program.run(
      Catalog(
        name: "visits-simulator",
        modules: [VisitCounter.kind, Relay.kind, SensorModule.kind([SensorChip(SHT3x.self)])],
        hardware: .simulated))
  }
}
