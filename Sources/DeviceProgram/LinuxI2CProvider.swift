import Boards
import DeviceFile
import HAL
import LinuxBoard
import LinuxPlatform

/// The machine's I2C buses.
public final class LinuxI2CProvider: I2CProvider {
  private let threads: BusThreads
  private var buses: [(device: String, bus: LinuxI2CBus)] = []

  public init(loop: EventLoop) {
    threads = BusThreads(loop: loop)
  }

  public func open(_ target: TargetClaim, on bus: BusDescription) throws(HardwareError) {
    target.opened(opened(bus).device(at: target.address ?? 0), queue: try threads.queue(bus))
  }

  private func opened(_ bus: BusDescription) -> LinuxI2CBus {
    for entry in buses where entry.device.equals(bus.device) { return entry.bus }
    let opened = LinuxI2CBus(path: bus.device)
    buses.append((bus.device, opened))
    return opened
  }
}
