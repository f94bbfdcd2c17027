import DeviceRuntime
import Drivers
import Expanders

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
      Expander.kind(ExpanderKind.all),
    ]
  }
}

extension SensorChip {
  public static var all: [SensorChip] {
    [
      SensorChip(TMP105.self),
      SensorChip(LM75.self),
      SensorChip(SHT3x.self),
      SensorChip(BMP280.self),
      SensorChip(DPS310.self),
      SensorChip(BH1750.self),
    ]
  }
}

extension ExpanderKind {
  public static var all: [ExpanderKind] {
    [
      ExpanderKind("MCP23017", MCP23017.self),
      ExpanderKind("MCP23008", MCP23008.self),
      ExpanderKind("PCA9555", PCA9555.self),
      ExpanderKind("PCF8574", PCF8574.self),
    ]
  }
}
