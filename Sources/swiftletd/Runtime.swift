import DeviceRuntime
import HAL
import LinuxPlatform

/// What the loop runs: the device and its link to the broker.
final class Runtime: LoopClient {
  private let device: Device
  private let link: BrokerLink

  private let outbox: DurableOutbox?

  init(device: Device, link: BrokerLink, outbox: DurableOutbox?) {
    self.device = device
    self.link = link
    self.outbox = outbox
  }

  func turn(now: Instant) -> Instant? {
    var deadline = device.turn()
    while link.service(isLast: device.isStopped) { deadline = device.turn() }
    return link.partsUntil ?? deadline
  }

  var isFinished: Bool {
    device.isStopped && link.partsUntil == nil && outbox?.isBusy != true
  }
}
