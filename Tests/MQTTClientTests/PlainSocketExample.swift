import Glibc
import MQTTClient

/// Subscribes, says hello, and answers the first message that comes, over a socket that is connected.
func greet(over socket: Int32, clientID: String) throws -> String? {
  let client = try MQTTClient(MQTTClientOptions(clientID: clientID, randomSeed: .random(in: 0...(.max))))
  let (topic, hello) = (Array("greetings".utf8), Array("hello".utf8))
  try client.subscribe(filter: topic.span, qos: .atLeastOnce)
  client.start(now: milliseconds())
  client.transportOpened(now: milliseconds())
  var heard: String?
  while heard == nil, client.transportRequest == .none {
    client.withOutput { bytes in bytes.withUnsafeBytes { write(socket, $0.baseAddress, $0.count) } }
    let wait = client.nextDeadline.map { $0 - min($0, milliseconds()) }
    var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    if poll(&descriptor, 1, wait.map { Int32(clamping: $0) } ?? -1) > 0 {
      let count = client.withReceiveBuffer { buffer in
        buffer.withUnsafeMutableBytes { read(socket, $0.baseAddress, $0.count) }
      }
      if count <= 0 { client.transportClosed(now: milliseconds()) }
    }
    client.advance(to: milliseconds())
    while let event = client.nextEvent(now: milliseconds()) {
      switch event {
      case .subscribed: try client.publish(topic: topic.span, payload: hello.span, qos: .exactlyOnce)
      case .message(let message):
        heard = client.withMessage(message) { _, payload in
          payload.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        }
      default: print(event)
      }
    }
  }
  return heard
}

func milliseconds() -> UInt64 {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return UInt64(now.tv_sec) * 1_000 + UInt64(now.tv_nsec) / 1_000_000
}
