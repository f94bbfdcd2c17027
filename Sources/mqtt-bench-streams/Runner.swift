import CBenchSocket
import HAL
import LinuxPlatform
import MQTTClient
import MQTTConnection

/// What is measured.
enum Job {
  /// At most that many messages without acknowledgement.
  case publish(window: Int)
  case receive
}

/// Publishes or receives, and ends.
final class Runner: LoopClient, MQTTConnectionOwner {
  private let client: MQTTClient
  private let loop: EventLoop
  private let job: Job
  private let qos: MQTTQoS
  private let payload = [UInt8](repeating: UInt8(ascii: "x"), count: 64)
  private let topic: [UInt8]
  private var connection: MQTTConnection?
  /// Messages to be published or received, and those published without an answer yet.
  private var left: Int
  private var unanswered = 0
  /// What QoS 0 ends with: a message that is answered.
  private var lastIsOut = false
  private var isReady = false
  private var hasFailed = false

  /// Nil: the options are wrong.
  init?(
    _ server: MQTTServer, _ job: Job, _ qos: MQTTQoS, _ count: Int, _ version: MQTTVersion, _ loop: EventLoop
  ) {
    self.loop = loop
    self.job = job
    self.qos = qos
    left = count
    let name: StaticString = "bench/pub/t0"
    topic = name.withUTF8Buffer { Array($0) }
    var options = MQTTClientOptions(clientID: "swiftlet-bench", randomSeed: 1)
    options.version = version
    options.fallsBack = false
    // Under valgrind, on a busy machine, a TLS handshake takes its time.
    options.connectTimeout = 120_000
    if case .publish(let window) = job {
      options.maxInFlight = window
      options.outboxCapacity = max(8192, window * 256)
    }
    do throws(MQTTOptionsError) {
      client = try MQTTClient(options)
    } catch {
      return nil
    }
    client.start(now: now)
    if case .receive = job, !subscribe() { return nil }
    connection = MQTTConnection(client: client, servers: [server], loop: loop, owner: self)
  }

  /// All messages have gone their way.
  var isDone: Bool { left == 0 && unanswered == 0 && (lastIsOut || !needsLast) }

  var isFinished: Bool { isDone || hasFailed }

  private var needsLast: Bool {
    if case .publish = job { return qos == .atMostOnce }
    return false
  }

  private var now: UInt64 { UInt64(loop.now.milliseconds) }

  private func subscribe() -> Bool {
    let name: StaticString = "bench/rcv/t0"
    let filter = name.withUTF8Buffer { Array($0) }
    do throws(MQTTSubscribeError) {
      try client.subscribe(filter: filter.span, qos: qos)
      return true
    } catch {
      return false
    }
  }

  func turn(now: Instant) -> Instant? {
    client.advance(to: self.now)
    work()
    while connection?.service() == true { work() }
    return client.nextDeadline.map { Instant(nanoseconds: Int64($0) * 1_000_000) }
  }

  private func work() {
    let now = self.now
    while let event = client.nextEvent(now: now) {
      switch event {
      case .connected:
        isReady = true
        bench_begin()
      case .published: unanswered -= 1
      case .message: left -= 1
      default: break
      }
    }
    guard isReady, case .publish(let window) = job else { return }
    do throws(MQTTPublishError) {
      try publish(window)
    } catch {
      hasFailed = true
    }
  }

  /// As many as there is room for.
  private func publish(_ window: Int) throws(MQTTPublishError) {
    guard qos == .atMostOnce else {
      while left > 0, unanswered < window { try publishOne(qos) }
      return
    }
    while left > 0, client.outputRoom >= topic.count + payload.count { try publishOne(qos) }
    if left == 0, !lastIsOut {
      lastIsOut = true
      left = 1
      try publishOne(.atLeastOnce)
    }
  }

  private func publishOne(_ qos: MQTTQoS) throws(MQTTPublishError) {
    let topic = self.topic
    let payload = self.payload
    try client.publish(topic: topic.span, payload: payload.span, qos: qos)
    left -= 1
    if qos != .atMostOnce { unanswered += 1 }
  }

  func connectionClosed(_ server: MQTTServer, reason: String) {
    hasFailed = true
  }
}
