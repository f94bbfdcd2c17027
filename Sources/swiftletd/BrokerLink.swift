import DeviceRuntime
import HAL
import LinuxPlatform
import MQTTClient

/// Moves bytes between the client's session and a TCP connection to the broker.
final class BrokerLink: TCPStreamOwner {
  private let client: MQTTClient
  private let endpoint: Endpoint
  private let loop: EventLoop
  private let log: any Log
  private var stream: TCPStream?
  private var state = State.closed
  private var lastReason: FixedText?

  private enum State {
    case closed
    case opening
    case open
    /// Lost or refused; the client hears of it in the next `service`.
    case lost
    /// The last words are out; waits until the broker has them, at most until then.
    case parting(Instant)
  }

  init(client: MQTTClient, endpoint: Endpoint, loop: EventLoop, log: any Log) {
    self.client = client
    self.endpoint = endpoint
    self.loop = loop
    self.log = log
    stream = TCPStream(loop: loop, owner: self)
  }

  /// How long a broker may take to close after it has been told goodbye.
  private static let patience = Duration.milliseconds(500)

  /// Does what the client asks for. True: something changed, and the device has to look again.
  /// `isLast`: no other connection will follow.
  func service(isLast: Bool) -> Bool {
    switch state {
    case .lost:
      state = .closed
      client.transportClosed(now: now)
      return true
    case .closed where client.transportRequest == .open:
      state = .opening
      stream?.open(endpoint)
      if case .opening = state { return false }
      return true
    case .open where client.transportRequest == .close && isLast:
      stream?.finish()
      state = .parting(loop.now + BrokerLink.patience)
      client.transportClosed(now: now)
      return true
    case .opening where client.transportRequest == .close, .open where client.transportRequest == .close:
      stream?.close()
      state = .closed
      client.transportClosed(now: now)
      return true
    case .open:
      // A broker that closes every connection at once is worth one line, not one for each attempt.
      if client.isConnected { lastReason = nil }
      return flush()
    case .parting(let deadline):
      if stream?.isOpen == true && loop.now < deadline { return false }
      stream?.close()
      state = .closed
      return false
    case .closed, .opening:
      return false
    }
  }

  /// Until when the broker may take its leave; nil when there is nothing to wait for.
  var partsUntil: Instant? {
    if case .parting(let deadline) = state { return deadline }
    return nil
  }

  func streamOpened() {
    state = .open
    client.transportOpened(now: now)
  }

  func streamReadable() {
    var isTaken = false
    client.withReceiveBuffer { buffer in
      isTaken = true
      return stream?.read(into: &buffer) ?? 0
    }
    // The client takes nothing while its answers are not taken: until then the bytes wait in the kernel.
    if !isTaken && client.hasOutput { stream?.pauseReading() }
  }

  func streamWritable() {
    stream?.resumeReading()
  }

  func streamClosed(_ reason: String) {
    state = .lost
    var line: FixedText = "broker "
    line.append(endpoint.host)
    line.append(":")
    line.append(decimal: Int64(endpoint.port))
    line.append(": ")
    line.append(reason)
    if line == lastReason { return }
    lastReason = line
    log.write(.warning, line)
  }

  private var now: UInt64 { UInt64(loop.now.milliseconds) }

  /// Writes what there is. True: the client has room for what waited for it, or something has ended.
  private func flush() -> Bool {
    var written = 0
    client.withOutput { bytes in
      written = stream?.write(bytes) ?? 0
      return written
    }
    if case .open = state { return written > 0 || client.transportRequest == .close }
    return true
  }
}
