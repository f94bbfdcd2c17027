import Drivers
import HAL
import Simulation
import Units

/// One chip on a bus of its own, in air of its own, with a driver that reads it.
final class Bench {
  let clock: VirtualClock
  let target: SimulatedI2CTarget
  let environment: Environment
  /// Puts another chip of the kind in the place of the first, fresh from power-up.
  let replaceChip: () -> Void
  /// One whole reading; the clock moves on as the driver asks.
  let read: () throws(SensorError) -> [Reading]
  /// A reading that does not wait, so that nothing can be ready.
  let readTooEarly: () throws(SensorError) -> Void
  /// A reading of a chip that loses power before it is collected.
  let readAcrossPowerCycle: () throws(SensorError) -> Void
  /// A collect without a start.
  let collectOnly: () throws(SensorError) -> Void

  init<S: Sensor>(
    _ type: S.Type, in environment: Environment,
    model: @escaping (Environment, any MonotonicClock) -> any I2CTargetModel
  ) {
    let clock = VirtualClock()
    let bus = SimulatedI2CBus()
    let target = bus.attach(model(environment, clock), at: S.defaultAddress)
    self.target = target
    replaceChip = { target.model = model(environment, clock) }
    self.clock = clock
    self.environment = environment
    var sensor = S(bus.device(at: S.defaultAddress))
    read = { () throws(SensorError) in
      clock.advance(by: try sensor.start())
      while let wait = try sensor.advance() { clock.advance(by: wait) }
      return readings(try sensor.collect())
    }
    readTooEarly = { () throws(SensorError) in
      _ = try sensor.start()
      while try sensor.advance() != nil {}
      _ = try sensor.collect()
    }
    readAcrossPowerCycle = { () throws(SensorError) in
      clock.advance(by: try sensor.start())
      while let wait = try sensor.advance() { clock.advance(by: wait) }
      target.model = model(environment, clock)
      _ = try sensor.collect()
    }
    collectOnly = { () throws(SensorError) in _ = try sensor.collect() }
  }

  func set(_ air: Air) {
    environment.temperature = Temperature(milliCelsius: air.milliCelsius)
    environment.humidity = RelativeHumidity(milliPercent: air.milliPercent)
    environment.pressure = Pressure(milliPascals: air.milliPascals)
  }

  /// The error of a reading; nil when it goes well.
  func failure() -> SensorError? {
    do {
      _ = try read()
      return nil
    } catch {
      return error
    }
  }
}

/// What a measurement publishes.
func readings<M: Drivers.Measurement>(_ measurement: M) -> [Reading] {
  var readings: [Reading] = []
  measurement.forEachReading { readings.append($0) }
  return readings
}
