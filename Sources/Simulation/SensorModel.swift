import HAL

/// The model of a chip that measures what is around it, as the chip is after power-up. How it is reached is said by
/// the bus's own protocol, such as `I2CTargetModel`.
public protocol SensorModel: AnyObject, SendableMetatype {
  init(environment: Environment, clock: any MonotonicClock)
}

/// The model of an I2C chip that gives a bus more pins, as it is after power-up.
public protocol ExpanderModel: I2CTargetModel, SendableMetatype {
  init()

  var pins: ExpanderPins { get }

  /// Its supply is gone for a moment.
  func losePower()
}
