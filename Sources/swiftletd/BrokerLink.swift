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
  }

  init(client: MQTTClient, endpoint: Endpoint, loop: EventLoop, log: any Log) {
    self.client = client
    self.endpoint = endpoint
    self.loop = loop
    self.log = log
    stream = TCPStream(loop: loop, owner: self)
  }

  /// Does what the client asks for. True: something changed, and the device has to look again.
  func service() -> Bool {
    switch state {
    case .lost:
      state = .closed
      client.transportClosed(now: now)
      return true
    case .closed where client.transportRequest == .open:
      state = .opening
      stream?.open(endpoint)
      return state != .opening
    case .opening where client.transportRequest == .close, .open where client.transportRequest == .close:
      stream?.close()
      state = .closed
      client.transportClosed(now: now)
      return true
    case .open:
      flush()
      return state != .open || client.transportRequest == .close
    case .closed, .opening:
      return false
    }
  }

  func streamOpened() {
    state = .open
    lastReason = nil
    client.transportOpened(now: now)
  }

  func streamReadable() {
    client.withReceiveBuffer { buffer in stream?.read(into: &buffer) ?? 0 }
  }

  func streamWritable() {}

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

  private func flush() {
    // Taking bytes makes room for what waited for it: all of a turn goes out before the loop sleeps.
    var written = 1
    while client.hasOutput && written > 0 && state == .open {
      written = 0
      client.withOutput { bytes in
        written = stream?.write(bytes) ?? 0
        return written
      }
    }
  }
}
