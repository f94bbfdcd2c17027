import DeviceProgram
import DeviceRuntime
import Drivers
import Modules
import VisitCounter

/// The program for the board: what is named here is in it, and nothing else.
@main
enum Main {
  static func main() {
    Program.run(
      Catalog(
        name: "visits",
        modules: [VisitCounter.kind, Relay.kind, SensorModule.kind([SensorChip(SHT3x.self)])],
        hardware: .linux))
  }
}
