import DeviceProgram
import DeviceRuntime
import Drivers
import Modules

/// Relays and SHT3x sensors as a device file has them, plain TCP, and nothing else: of the other kinds, chips and
/// transports there is nothing in the program. `scripts/cross arm64 --product minimal-file` makes less than 300 KB.
@main
enum Main {
  static func main() {
    Program.run(
      Catalog(
        name: "minimal-file", modules: [Relay.kind, SensorModule.kind([SensorChip(SHT3x.self)])],
        hardware: .linux))
  }
}
