import HAL
import LinuxPlatform

/// Tries from time to time whether the first server can be reached again, while a later one serves.
final class Knock: NetworkStreamOwner {
  private let server: MQTTServer
  private let transports: [MQTTTransport]
  private let loop: EventLoop
  private var stream: (any NetworkStream)?
  private var next: Instant?
  private var state = State.waiting

  private enum State {
    case waiting
    case knocking
    case answered
  }

  private let shortest: Duration
  /// Doubles each time the server answered and then did not serve: a connection that works is not left for it
  /// again and again.
  private var period: Duration

  init(_ server: MQTTServer, _ transports: [MQTTTransport], every period: Duration, loop: EventLoop) {
    self.server = server
    self.transports = transports
    shortest = period
    self.period = period
    self.loop = loop
  }

  deinit {
    stream?.close()
  }

  var deadline: Instant? { next }

  /// True once the server has answered; the connection that showed it is closed again.
  func service() -> Bool {
    guard let next else {
      self.next = loop.now + period
      return false
    }
    if case .answered = state { return true }
    guard loop.now >= next else { return false }
    stream?.close()
    self.next = loop.now + period
    state = .knocking
    let stream = self.stream ?? server.makeStream(transports, loop: loop, owner: self)
    self.stream = stream
    stream.open()
    if case .answered = state { return true }
    return false
  }

  func stop(servesAgain: Bool) {
    if servesAgain {
      period = shortest
    } else if case .answered = state {
      period = min(period * 2, shortest * 64)
    }
    stream?.close()
    next = nil
    state = .waiting
  }

  func streamOpened() {
    stream?.close()
    state = .answered
  }

  func streamReadable() {}
  func streamWritable() {}
  func streamClosed(_ reason: String) { state = .waiting }
}
