import DeviceRuntime
import HAL
import LinuxPlatform
import MQTTConnection

/// What the loop runs: the device and its connection to the broker.
final class Runtime: LoopClient {
  private let device: Device
  private let connection: MQTTConnection
  private let outbox: (any Outbox)?

  init(device: Device, connection: MQTTConnection, outbox: (any Outbox)?) {
    self.device = device
    self.connection = connection
    self.outbox = outbox
  }

  func turn(now: Instant) -> Instant? {
    var deadline = device.turn()
    while connection.service() { deadline = device.turn() }
    if device.isStopped && connection.isParting { return connection.deadline }
    guard let later = connection.deadline else { return deadline }
    return min(later, deadline ?? later)
  }

  var isFinished: Bool {
    device.isStopped && !connection.isParting && outbox?.isBusy != true
  }
}
