import HAL
import LinuxPlatform
import MQTTClient
import MQTTConnection

/// Publishes a message and ends when the server has it: `hello broker.local`.
@main
enum Main {
  static func main() throws {
    let host = CommandLine.arguments.dropFirst().first ?? "localhost"
    let loop = try EventLoop()
    let hello = try Hello(to: MQTTServer(endpoint: Endpoint(host: host, port: 1883)), on: loop)
    try loop.run(hello)
    print(hello.outcome ?? "nothing happened")
  }
}

/// A session and its connection. One server is tried once.
final class Hello: LoopClient, MQTTConnectionOwner {
  private(set) var outcome: String?
  private let client: MQTTClient
  private let loop: EventLoop
  private var connection: MQTTConnection?

  init(to server: MQTTServer, on loop: EventLoop) throws {
    self.loop = loop
    client = try MQTTClient(MQTTClientOptions(clientID: "hello", randomSeed: .random(in: 0...(.max))))
    connection = MQTTConnection(client: client, servers: [server], loop: loop, owner: self)
    client.start(now: now)
    let (topic, payload) = (Array("greetings".utf8), Array("hello".utf8))
    try client.publish(topic: topic.span, payload: payload.span, qos: .atLeastOnce)
  }

  var isFinished: Bool { outcome != nil }

  func turn(now: Instant) -> Instant? {
    repeat {
      client.advance(to: self.now)
      while let event = client.nextEvent(now: self.now) {
        if case .published = event { outcome = "the server has it" }
      }
    } while connection?.service() == true
    return client.nextDeadline.map { Instant(nanoseconds: Int64($0) * 1_000_000) }
  }

  func connectionClosed(_ server: MQTTServer, reason: String) {
    outcome = "\(server.endpoint.host): \(reason)"
  }

  private var now: UInt64 { UInt64(loop.now.milliseconds) }
}
