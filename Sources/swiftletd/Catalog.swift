import DeviceProgram
import Drivers
import Modules
import MQTTConnection

/// What the ready program for boards has: everything.
@main
enum Main {
  static func main() {
    Program.run(
      Catalog(
        name: "swiftletd", modules: [Relay.kind] + BinaryInput.kinds + [SensorModule.kind(chips)],
        hardware: .linux, transports: MQTTTransport.all, outbox: .sqlite, authentication: .scramSHA256))
  }

  private static var chips: [SensorChip] {
    [
      SensorChip(TMP105.self),
      SensorChip(LM75.self),
      SensorChip(SHT3x.self),
      SensorChip(BMP280.self),
      SensorChip(DPS310.self),
    ]
  }
}
