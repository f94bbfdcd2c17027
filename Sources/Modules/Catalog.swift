import Chips
import DeviceRuntime
import Drivers
import Expanders
import Simulation

// What there is, a line a kind; chips stand in `Chips.swift`. A program that wants less names what it wants itself: only
// what is named is in it.

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
  /// Those that a device file can say the way to.
  public static var all: [SensorChip] {
    var drivers = DriverCollector()
    forEachChip(&drivers)
    return drivers.sensors
  }
}

extension ExpanderKind {
  public static var all: [ExpanderKind] {
    var drivers = DriverCollector()
    forEachChip(&drivers)
    return drivers.expanders
  }
}

/// Takes the drivers, and leaves the models alone: they are for simulated boards.
private struct DriverCollector: ChipVisitor {
  var sensors: [SensorChip] = []
  var expanders: [ExpanderKind] = []

  mutating func sensor<Driver: I2CSensor, Model: I2CTargetModel & SensorModel>(
    _ driver: Driver.Type, _ model: Model.Type
  ) {
    sensors.append(SensorChip(driver))
  }

  mutating func expander<Driver: PortExpander, Model: ExpanderModel>(
    _ driver: Driver.Type, _ model: Model.Type
  ) {
    expanders.append(ExpanderKind(driver))
  }
}
