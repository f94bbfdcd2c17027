import Boards
import DeviceRuntime
import Drivers
import HAL

extension SensorModule {
  /// A chip on an I2C bus of a device that is put together in Swift. `bus` is the kernel's, such as `/dev/i2c-1`;
  /// `address` nil: the chip's usual one. It is not measured more often than the chip can.
  public convenience init<Chip: I2CSensor>(
    _ name: String, _ chip: Chip.Type, on wiring: Wiring, bus: String, address: UInt8? = nil,
    every period: Duration
  ) {
    let address = address ?? Chip.usualAddress
    let target = wiring.target(name, chip: Chip.name.description, bus: bus, address: address)
    self.init(
      name: name, probe: DriverProbe(Chip(target), queue: target),
      at: SensorPlace(bus: bus, address: address, identity: Chip.identity),
      every: max(period, Chip.shortestPeriod))
  }
}
