import HAL
import LinuxPlatform

/// Tries from time to time whether the first server can be reached again, while a later one serves.
final class Knock: NetworkStreamOwner {
  private let server: MQTTServer
  private let loop: EventLoop
  private var stream: (any NetworkStream)?
  private var next: Instant?
  private var state = State.waiting

  private enum State {
    case waiting
    case knocking
    case answered
  }

  private static let period = Duration.seconds(60)

  init(_ server: MQTTServer, loop: EventLoop) {
    self.server = server
    self.loop = loop
  }

  var deadline: Instant? { next }

  /// True once the server has answered; the connection that showed it is closed again.
  func service() -> Bool {
    guard let next else {
      self.next = loop.now + Knock.period
      return false
    }
    if case .answered = state { return true }
    guard loop.now >= next else { return false }
    stream?.close()
    self.next = loop.now + Knock.period
    state = .knocking
    let stream = self.stream ?? server.makeStream(loop: loop, owner: self)
    self.stream = stream
    stream.open()
    if case .answered = state { return true }
    return false
  }

  func stop() {
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
