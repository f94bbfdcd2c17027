import Drivers
import HAL
import Simulation
import Units

/// One chip on a bus of its own, in air of its own, with a driver that reads it.
final class Bench {
  let clock: VirtualClock
  let target: SimulatedTarget
  let environment: Environment
  /// Puts another chip of the kind in the place of the first, fresh from power-up.
  let replaceChip: () -> Void
  /// One whole reading; the clock moves on as the driver asks.
  let read: () throws(SensorError) -> [Reading]
  /// A reading that does not wait, so that nothing can be ready.
  let readTooEarly: () throws(SensorError) -> Void
  /// A reading of a chip that loses power before it is collected.
  let readAcrossPowerCycle: () throws(SensorError) -> [Reading]
  /// A collect without a start.
  let collectOnly: () throws(SensorError) -> Void

  init<S: Sensor>(
    _ driver: S, target: SimulatedTarget, clock: VirtualClock, environment: Environment, pause: Duration,
    plugIn: @escaping () -> Void
  ) {
    self.target = target
    replaceChip = plugIn
    self.clock = clock
    self.environment = environment
    plugIn()
    var sensor = driver
    let readWhile = { (change: () -> Void) throws(SensorError) in
      defer { clock.advance(by: pause) }
      clock.advance(by: try sensor.start())
      while let wait = try sensor.advance() { clock.advance(by: wait) }
      change()
      return readings(try sensor.collect())
    }
    read = { () throws(SensorError) in try readWhile {} }
    readAcrossPowerCycle = { () throws(SensorError) in try readWhile(plugIn) }
    readTooEarly = { () throws(SensorError) in
      _ = try sensor.start()
      while try sensor.advance() != nil {}
      _ = try sensor.collect()
    }
    collectOnly = { () throws(SensorError) in _ = try sensor.collect() }
  }

  func set(_ air: Air) {
    for value in air.values { environment.set(value.quantity, value.key, thousandths: value.thousandths) }
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
