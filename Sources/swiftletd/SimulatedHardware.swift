import Configuration
import HAL
import Simulation

/// A board of models: every line works, and every sensor's chip is on its bus, in the air of a summer day.
final class SimulatedHardware: Hardware {
  private let clock: any MonotonicClock
  private let queues: (BusDescription) throws(HardwareError) -> any WorkQueue
  private let environment: Environment
  private var buses: [(name: String, bus: SimulatedI2CBus)] = []

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
    let bus = simulated(bus)
    bus.attach(driver.model(environment, clock: clock), at: sensor.address)
    return bus.device(at: sensor.address)
  }

  /// Each bus has its own targets, as each has its own queue.
  private func simulated(_ bus: BusDescription) -> SimulatedI2CBus {
    for entry in buses where entry.name.isSame(as: bus.name) { return entry.bus }
    let simulated = SimulatedI2CBus()
    buses.append((bus.name, simulated))
    return simulated
  }

  func queue(_ bus: BusDescription) throws(HardwareError) -> any WorkQueue {
    try queues(bus)
  }
}
