import CLinux
import Configuration
import DeviceFile
import DeviceRuntime
import HAL
import LinuxPlatform
import MQTTConnection

/// What becomes of `forget`: everything that the broker keeps of a device is cleared, the device's own topics too, for a
/// device that is given up. A broker that cannot be reached is waited for no longer than a person waits.
final class Forgetting: TimerOwner {
  private let device: Device
  private(set) var isDone = false

  private static let patience = Duration.seconds(30)

  init(_ device: Device, _ topics: [String]) {
    self.device = device
    device.lastWord = ""
    device.clear(topics) { [self] in
      isDone = true
      device.stop()
    }
    device.makeTimer(for: self).schedule(at: device.clock.now + Forgetting.patience)
  }

  func timerFired(_ timer: DeviceTimer, now: Instant) { device.stop() }
}

extension Program {
  func forget(_ configuration: DeviceConfiguration, _ memory: TopicFile?) -> Int32 {
    guard let memory else {
      return complain("nothing is remembered: there is no state directory (/var/lib/swiftlet)", EX_CONFIG)
    }
    guard memory.take() else {
      return complain("the device is running, and would publish all of it again: stop it first", EX_TEMPFAIL)
    }
    let current = configuration.device.retainedTopics
    let topics = memory.stale(current) + current
    do throws(SystemError) {
      let loop = try EventLoop()
      let log = StandardErrorLog(level: .warning)
      let signals = try Signals(loop: loop)
      let composition = Composition(
        configuration: configuration, hardware: catalog.hardware.make(loop), clock: loop, log: log,
        authentication: catalog.authentication)
      composition.isForgetting = true
      guard let device = composition.device(randomSeed: Program.randomSeed(loop)) else {
        return complain(Program.invalidOptions, EX_CONFIG)
      }
      let forgetting = Forgetting(device, topics)
      signals.received = { _ in device.stop() }
      device.start()
      try loop.run(
        Runtime(device: device, connection: connection(configuration, device, loop, log), outbox: nil))
      guard forgetting.isDone else { return complain("the broker cannot be reached", EX_UNAVAILABLE) }
    } catch {
      return complain("\(error.message)", EX_OSERR)
    }
    memory.forget()
    for topic in topics { StandardStream.output.write("cleared \(topic)\n") }
    return 0
  }
}
