import Drivers
import Simulation

/// Looks at the chips there are. It passes over those that it has no function for.
public protocol ChipVisitor {
  mutating func sensor<Driver: I2CSensor, Model: I2CTargetModel & SensorModel>(
    _ driver: Driver.Type, _ model: Model.Type)
  mutating func sensor<Driver: SPISensor, Model: SPITargetModel & SensorModel>(
    _ driver: Driver.Type, _ model: Model.Type)
  mutating func sensor<Driver: KernelSensor, Model: KernelDeviceModel & SensorModel>(
    _ driver: Driver.Type, _ model: Model.Type)
  mutating func sensor<Driver: StreamSensor, Model: StreamModel & SensorModel>(
    _ driver: Driver.Type, _ model: Model.Type)
  mutating func expander<Driver: PortExpander, Model: ExpanderModel>(
    _ driver: Driver.Type, _ model: Model.Type)
}

extension ChipVisitor {
  public mutating func sensor<Driver: I2CSensor, Model: I2CTargetModel & SensorModel>(
    _ driver: Driver.Type, _ model: Model.Type
  ) {}
  public mutating func sensor<Driver: SPISensor, Model: SPITargetModel & SensorModel>(
    _ driver: Driver.Type, _ model: Model.Type
  ) {}
  public mutating func sensor<Driver: KernelSensor, Model: KernelDeviceModel & SensorModel>(
    _ driver: Driver.Type, _ model: Model.Type
  ) {}
  public mutating func sensor<Driver: StreamSensor, Model: StreamModel & SensorModel>(
    _ driver: Driver.Type, _ model: Model.Type
  ) {}
  public mutating func expander<Driver: PortExpander, Model: ExpanderModel>(
    _ driver: Driver.Type, _ model: Model.Type
  ) {}
}
