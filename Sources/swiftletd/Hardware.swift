import Configuration
import HAL
import LinuxPlatform

/// Where lines and buses come from: the kernel, or models of them.
protocol Hardware: AnyObject {
  /// Requests the relay's line, with its start level in the same call.
  func output(_ line: LineDescription, for relay: RelayDescription) throws(HardwareError) -> any OutputLine

  func input(_ line: LineDescription, for button: ButtonDescription) throws(HardwareError) -> any InputLine

  /// The target a sensor talks to.
  func device(_ bus: BusDescription, for sensor: SensorDescription, driver: DriverCatalog) -> any I2CDevice

  /// The queue of a bus: one for each, so that a hung one holds up nobody else.
  func queue(_ bus: BusDescription) throws(HardwareError) -> any WorkQueue
}

/// What stands in the way of a module.
struct HardwareError: Error {
  let text: Message
}

/// The threads that do the transfers, by the name of their bus.
final class BusThreads {
  private let loop: EventLoop
  private var threads: [(bus: String, thread: WorkerThread)] = []

  init(loop: EventLoop) {
    self.loop = loop
  }

  func queue(_ bus: BusDescription) throws(HardwareError) -> any WorkQueue {
    for entry in threads where entry.bus.isSame(as: bus.name) { return entry.thread }
    do throws(SystemError) {
      let thread = try WorkerThread(loop: loop)
      threads.append((bus.name, thread))
      return thread
    } catch {
      throw HardwareError(text: "bus \(bus.name): no thread: \(error.message)")
    }
  }
}
