import DeviceRuntime
import HAL
import Loopback
import MQTTClient
import Simulation

/// A device on a virtual clock with a broker in memory: hours of its life pass in a moment, and the same
/// way every time.
public final class DeviceBench {
  public let clock: VirtualClock
  public let queue: SimulatedWorkQueue
  public let device: Device
  public let server = LoopbackServer()
  public let link: LoopbackLink
  /// The bus hangs: what is queued stays there.
  public var busHangs = false
  /// When the device wants to run next.
  public private(set) var deadline: Instant?
  private var seen = 0

  /// More turns than that without time passing: the device keeps the loop busy.
  private static let mostTurns = 1_000

  public init(clock: VirtualClock, queue: SimulatedWorkQueue, device: Device) {
    self.clock = clock
    self.queue = queue
    self.device = device
    link = LoopbackLink(client: device.client, server: server)
  }

  /// Lets happen what can happen without time passing.
  public func settle() {
    var isBusy = true
    var turns = 0
    while isBusy {
      deadline = device.turn()
      let hasWorked = !busHangs && queue.run()
      isBusy = link.service(now: UInt64(clock.now.milliseconds)) || hasWorked
      turns += 1
      precondition(turns < DeviceBench.mostTurns, "the device does not come to rest")
    }
  }

  /// Lets time pass, from deadline to deadline, as the event loop does. `observe` runs after each of them.
  public func run(for duration: Duration, observe: () -> Void = {}) {
    run(until: clock.now + duration, observe: observe)
  }

  public func run(until end: Instant, observe: () -> Void = {}) {
    settle()
    observe()
    var turns = 0
    while let deadline, deadline <= end {
      turns = deadline > clock.now ? 0 : turns + 1
      precondition(turns < DeviceBench.mostTurns, "a deadline that has passed comes again and again")
      clock.advance(to: deadline)
      settle()
      observe()
    }
    clock.advance(to: end)
    settle()
    observe()
  }

  /// Starts the device and connects it.
  public func start() {
    device.start()
    settle()
  }

  /// The connection is lost and the server cannot be reached until `comeBack`.
  public func loseBroker() {
    link.isDown = true
    link.cut(now: UInt64(clock.now.milliseconds))
    settle()
  }

  /// The server can be reached again: the device is connected after its next attempt.
  public func comeBack() {
    link.isDown = false
    while !device.client.isConnected, let deadline {
      clock.advance(to: deadline)
      settle()
    }
  }

  public func send(
    _ payload: String, to module: String, retain: Bool = false, duplicate: Bool = false
  ) {
    server.send(
      "\(prefix)\(module)/set", Array(payload.utf8), qos: .atLeastOnce, retain: retain, duplicate: duplicate)
    settle()
  }

  /// What was published since the last call, topics without the device's prefix.
  public func news() -> [Published] {
    let new = server.published[seen...].map { Published($0, prefix: prefix) }
    seen = server.published.count
    return new
  }

  /// The payloads published on a topic since the last call of `news`.
  public func new(on topic: String) -> [String] {
    server.published[seen...].map { Published($0, prefix: prefix) }.filter { $0.topic == topic }.map(
      \.payload)
  }

  /// What the server keeps on a topic.
  public func retained(_ topic: String) -> String? {
    server.retained[prefix + topic].map { String(decoding: $0.payload, as: UTF8.self) }
  }

  private var prefix: String { device.topics.prefix.string }
}

/// One message of the device, to be compared in tests.
public struct Published: Equatable, CustomStringConvertible {
  public var topic: String
  public var payload: String
  /// QoS 1 and retained, as states are; else neither.
  public var isState: Bool

  public init(_ topic: String, _ payload: String, isState: Bool = false) {
    self.topic = topic
    self.payload = payload
    self.isState = isState
  }

  /// A message with only one of QoS 1 and the retain flag is none of ours: it shows in its topic.
  init(_ message: LoopbackServer.Message, prefix: String) {
    topic = String(message.topic.dropFirst(prefix.utf8.count))
    payload = String(decoding: message.payload, as: UTF8.self)
    isState = message.retain && message.qos == .atLeastOnce
    if !message.topic.hasPrefix(prefix) { topic = "not under \(prefix): \(message.topic)" }
    if message.retain != (message.qos == .atLeastOnce) { topic += " with a wrong QoS or retain flag" }
  }

  public var description: String { "\(topic) = \(payload)\(isState ? " (kept)" : "")" }
}

/// Remembers what was logged.
public final class RecordingLog: Log {
  public private(set) var lines: [String] = []
  public var level: LogLevel

  public init(level: LogLevel = .info) { self.level = level }

  public func write(_ level: LogLevel, _ text: FixedText) {
    lines.append("\(level): \(text.string)")
  }
}
