import CLinux

/// How to ask a server for a WebSocket (RFC 6455, section 4.1).
public struct WebSocketSettings: Sendable {
  /// Path and query.
  public var path = "/"
  /// More lines of the request's head, such as an authorisation; without line ends.
  public var headers: [String] = []

  public init() {}
}

/// The request that makes a WebSocket out of a connection, and what its answer must be.
struct WebSocketHandshake {
  private let key: [UInt8]

  init() {
    var random = [UInt8](repeating: 0, count: 16)
    _ = linux_random(&random, random.count)
    key = base64(random)
  }

  func request(_ endpoint: Endpoint, _ settings: WebSocketSettings, isSecure: Bool) -> [UInt8] {
    var head = HTTPHead()
    head.add("GET ")
    head.add(settings.path)
    head.add(" HTTP/1.1\r\nHost: ")
    head.add(endpoint, withPort: endpoint.port != (isSecure ? 443 : 80))
    head.add("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13")
    head.add("\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Key: ")
    head.add(key)
    for header in settings.headers {
      head.add("\r\n")
      head.add(header)
    }
    head.add("\r\n\r\n")
    return head.bytes
  }

  /// Nil: the head makes this a WebSocket that speaks MQTT; else what it says. [MQTT5-6.0.0-3]
  func refusal(_ head: HTTPHead) -> String? {
    guard head.has("http/1.1 101") else { return "the broker refuses the WebSocket: " + head.statusLine }
    var proof = HTTPHead()
    proof.add(key)
    proof.add("258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
    guard head.field("upgrade", has: "websocket"), head.field("connection", has: "upgrade"),
      head.field("sec-websocket-accept", is: base64(SHA1.digest(proof.bytes)))
    else { return "the server answers, but does not understand WebSockets" }
    if let name = head.field("sec-websocket-protocol"), name.count == 4, head.has("mqtt", at: name.lowerBound)
    {
      return nil
    }
    return "the server has WebSockets, but does not speak MQTT there"
  }
}
