import DeviceRuntime
import Drivers
import Units

// What there is, a line a kind and a line a chip. A program that wants less names what it wants itself: only what is
// named is in it.

extension ModuleKind {
  public static var all: [ModuleKind] {
    [
      Relay.kind,
      BinaryInput.kind("button"),
      BinaryInput.kind("contact"),
      BinaryInput.kind("binary"),
      SensorModule.kind(SensorChip.all),
    ]
  }
}

extension SensorChip {
  public static var all: [SensorChip] {
    [
      SensorChip("TMP105", TMP105.self, [.temperature], every: 500),
      SensorChip("LM75", LM75.self, [.temperature], every: 500),
      SensorChip("SHT3x", SHT3x.self, [.temperature, .humidity], every: 100),
      SensorChip("BMP280", BMP280.self, [.temperature, .pressure], every: 100),
      SensorChip("DPS310", DPS310.self, [.temperature, .pressure], every: 100),
    ]
  }
}
