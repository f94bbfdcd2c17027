import Configuration
import HAL
import LinuxPlatform
import Simulation

/// A board of models: every line works, and every sensor's chip is on its bus, in the air of a summer day.
final class SimulatedHardware: Hardware {
  private let loop: EventLoop
  private let environment: Environment
  private let bus = SimulatedI2CBus()
  private var queues = BusQueues()

  init(loop: EventLoop) {
    self.loop = loop
    environment = DayCycle(clock: loop)
  }

  func output(_ line: LineDescription, for relay: RelayDescription) throws(HardwareError) -> any OutputLine {
    SimulatedOutputLine(startsActive: relay.safety.start)
  }

  func input(_ line: LineDescription, for button: ButtonDescription) throws(HardwareError) -> any InputLine {
    SimulatedInputLine()
  }

  func device(_ bus: BusDescription, for sensor: SensorDescription, driver: DriverCatalog) -> any I2CDevice {
    self.bus.attach(driver.model(environment, clock: loop), at: sensor.address)
    return self.bus.device(at: sensor.address)
  }

  func queue(_ bus: BusDescription) throws(HardwareError) -> any WorkQueue {
    try queues.queue(bus, loop: loop)
  }
}
