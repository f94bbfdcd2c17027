import Configuration
import HAL
import Simulation

/// A board of models: every line works, and every sensor's chip is on its bus, in the air of a summer day.
final class SimulatedHardware: Hardware {
  private let clock: any MonotonicClock
  private let queues: (BusDescription) throws(HardwareError) -> any WorkQueue
  private let environment: Environment
  private let bus = SimulatedI2CBus()

  init(clock: any MonotonicClock, queues: @escaping (BusDescription) throws(HardwareError) -> any WorkQueue) {
    self.clock = clock
    self.queues = queues
    environment = DayCycle(clock: clock)
  }

  func output(_ line: LineDescription, for relay: RelayDescription) throws(HardwareError) -> any OutputLine {
    SimulatedOutputLine(startsActive: relay.safety.start)
  }

  func input(_ line: LineDescription, for button: ButtonDescription) throws(HardwareError) -> any InputLine {
    SimulatedInputLine()
  }

  func device(_ bus: BusDescription, for sensor: SensorDescription, driver: DriverCatalog) -> any I2CDevice {
    self.bus.attach(driver.model(environment, clock: clock), at: sensor.address)
    return self.bus.device(at: sensor.address)
  }

  func queue(_ bus: BusDescription) throws(HardwareError) -> any WorkQueue {
    try queues(bus)
  }
}
