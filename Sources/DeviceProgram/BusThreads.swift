import Boards
import DeviceFile
import HAL
import LinuxPlatform

/// The threads that do the transfers: one for each bus, so that a hung one holds up nobody else.
public final class BusThreads {
  private let loop: EventLoop
  private var threads: [(bus: String, thread: WorkerThread)] = []

  public init(loop: EventLoop) {
    self.loop = loop
  }

  public func queue(_ bus: BusDescription) throws(HardwareError) -> any WorkQueue {
    for entry in threads where entry.bus.equals(bus.device) { return entry.thread }
    do throws(SystemError) {
      let thread = try WorkerThread(loop: loop)
      threads.append((bus.device, thread))
      return thread
    } catch {
      throw HardwareError("bus \(bus.name): no thread: \(error.message)")
    }
  }
}
