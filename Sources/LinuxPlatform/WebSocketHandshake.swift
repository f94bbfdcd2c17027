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
    var text = "GET " + settings.path + " HTTP/1.1\r\nHost: "
    text += endpoint.port == (isSecure ? 443 : 80) ? endpoint.bracketedHost : endpoint.authority
    text += "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13"
    text += "\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Key: "
    text += String(decoding: key, as: UTF8.self)
    for header in settings.headers {
      text += "\r\n"
      text += header
    }
    text += "\r\n\r\n"
    return [UInt8](text.utf8)
  }

  /// Nil: the head, which ends with an empty line, makes this a WebSocket that speaks MQTT; else what it says.
  func refusal(_ head: [UInt8]) -> String? {
    let lines = head.split(separator: 0x0A).map { $0.last == 0x0D ? $0.dropLast() : $0 }
    guard let status = lines.first else { return "the broker's answer is empty" }
    guard status.starts(with: "HTTP/1.1 101".utf8) else {
      return "the broker refuses the WebSocket: " + printable(status.prefix(80))
    }
    let expected = base64(
      SHA1.digest(key + Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)))
    var isAccepted = false
    var speaksMQTT = false
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: 0x3A) else { continue }
      let value = trimmed(line[(colon + 1)...])
      if names(line[..<colon], "sec-websocket-accept") { isAccepted = value.elementsEqual(expected) }
      if names(line[..<colon], "sec-websocket-protocol") { speaksMQTT = names(value, "mqtt") }
    }
    if !isAccepted { return "the server answers, but does not understand WebSockets" }
    return speaksMQTT ? nil : "the server has WebSockets, but does not speak MQTT there"
  }

  private func printable(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.map { (0x20..<0x7F).contains($0) ? $0 : 0x3F }, as: UTF8.self)
  }

  private func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var bytes = bytes
    while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
    while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
    return bytes
  }

  /// Compares without regard to the case of letters; `name` is lower case.
  private func names(_ bytes: ArraySlice<UInt8>, _ name: StaticString) -> Bool {
    guard bytes.count == name.utf8CodeUnitCount else { return false }
    var index = 0
    for byte in bytes {
      let lower = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
      if lower != name.utf8Start[index] { return false }
      index += 1
    }
    return true
  }
}
