import Glibc
import MQTTClient

/// Subscribes, says hello, and answers the first message that comes, over a socket that is connected.
func greet(over socket: Int32, clientID: String) throws -> String? {
  let client = try MQTTClient(MQTTClientOptions(clientID: clientID, randomSeed: .random(in: 0...(.max))))
  try client.subscribe(filter: "greetings", qos: .atLeastOnce)
  client.start(now: milliseconds())
  client.transportOpened(now: milliseconds())
  var heard: String?
  var isLost = false
  while !isLost {
    client.advance(to: milliseconds())
    while let event = client.nextEvent(now: milliseconds()) {
      switch event {
      case .subscribed: try client.publish(topic: "greetings", payload: "hello", qos: .exactlyOnce)
      case .message(let message):
        heard = client.withMessage(message) { _, payload in
          payload.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        }
        client.disconnect(now: milliseconds())
      default: print(event)
      }
    }
    if client.transportRequest == .close { break }
    client.withOutput { bytes in bytes.withUnsafeBytes { write(socket, $0.baseAddress, $0.count) } }
    guard isReadable(socket, until: client.nextDeadline) else { continue }
    client.withReceiveBuffer { buffer in
      let count = buffer.withUnsafeMutableBytes { read(socket, $0.baseAddress, $0.count) }
      isLost = count <= 0
      return count
    }
  }
  part(from: socket)
  client.transportClosed(now: milliseconds())
  return heard
}

/// Closes our end and reads on until the server closes its own, half a second at most. A socket that is closed while
/// something in it is unread resets the connection, and the server loses what we said before.
func part(from socket: Int32) {
  shutdown(socket, Int32(SHUT_WR))
  let end = milliseconds() + 500
  var rest = [UInt8](repeating: 0, count: 4096)
  while milliseconds() < end, isReadable(socket, until: end), read(socket, &rest, rest.count) > 0 {}
  close(socket)
}

func isReadable(_ socket: Int32, until deadline: UInt64?) -> Bool {
  let wait = deadline.map { $0 - min($0, milliseconds()) }
  var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
  return poll(&descriptor, 1, wait.map { Int32(clamping: $0) } ?? -1) > 0
}

func milliseconds() -> UInt64 {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return UInt64(now.tv_sec) * 1_000 + UInt64(now.tv_nsec) / 1_000_000
}
