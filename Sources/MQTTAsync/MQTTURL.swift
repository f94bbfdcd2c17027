import LinuxPlatform
import MQTTConnection

/// `mqtt://user:password@host:port`, taken apart; `mqtts`, `ws` and `wss` as well, the latter with a path, and
/// `unix:///path/of/a/socket`. Errors never quote what is before the host.
public struct MQTTURL: Sendable {
  public enum Scheme: String, Sendable {
    case mqtt, mqtts, ws, wss, unix

    public var port: UInt16 {
      switch self {
      case .mqtt: 1883
      case .mqtts: 8883
      case .ws: 80
      case .wss: 443
      case .unix: 0
      }
    }

    public var isEncrypted: Bool { self == .mqtts || self == .wss }
    public var isWebSocket: Bool { self == .ws || self == .wss }
  }

  public var scheme: Scheme
  public var username: String?
  public var password: String?
  /// A name or an address; of a local socket its path.
  public var host: String
  public var port: UInt16
  /// What follows the first slash behind the host.
  public var path: String

  public init(_ text: String) throws(MQTTAsyncError) {
    guard let mark = text.firstRange(of: "://") else {
      throw .invalidURL("the URL has no scheme; write mqtt://HOST or mqtt://HOST:PORT")
    }
    guard let scheme = Scheme(rawValue: text[..<mark.lowerBound].lowercased()) else {
      throw .invalidURL(
        "unknown scheme '\(text[..<mark.lowerBound])' in the URL; mqtt, mqtts, ws, wss and unix are known")
    }
    self.scheme = scheme
    let rest = text[mark.upperBound...]
    guard scheme != .unix else {
      guard rest.first == "/", rest.utf8.count > 1, rest.utf8.count < 108 else {
        throw .invalidURL(
          "a local socket has a whole path of at most 107 bytes; write unix:///run/mosquitto/mqtt.sock")
      }
      (host, port, path) = (String(rest), 0, "")
      return
    }
    let authority = rest.prefix { $0 != "/" }
    path = String(rest.dropFirst(authority.count + 1))
    (username, password, host, port) = try Self.parts(authority, standard: scheme.port)
  }
}

extension MQTTURL {
  /// The server it names, spoken to as the transport says.
  public func server(_ transport: MQTTTransport = MQTTTransport()) throws(MQTTAsyncError) -> MQTTServer {
    try transport.check()
    let endpoint = Endpoint(host: host, port: port)
    if let problem = endpoint.problem { throw .invalidURL(problem) }
    var server = MQTTServer(endpoint: endpoint)
    if scheme.isEncrypted { server.tls = transport.tls }
    if scheme.isWebSocket {
      var settings = WebSocketSettings()
      settings.path = "/" + path
      settings.headers = transport.headers
      server.webSocket = settings
    }
    if scheme != .unix { server.proxy = try transport.proxy.map(Self.proxy) }
    return server
  }

  /// `socks5://user:password@host:port`, or `http`.
  private static func proxy(_ text: String) throws(MQTTAsyncError) -> ProxySettings {
    let kinds: [(name: String, kind: ProxySettings.Kind, port: UInt16)] = [
      ("socks5", .socks5, 1080), ("socks5h", .socks5, 1080), ("http", .http, 3128),
    ]
    let mark = text.firstRange(of: "://")
    let name = mark.map { text[..<$0.lowerBound].lowercased() }
    guard let mark, let known = kinds.first(where: { $0.name == name }) else {
      throw .invalidURL("unknown proxy; write socks5://HOST:PORT or http://HOST:PORT")
    }
    let authority = text[mark.upperBound...].prefix { $0 != "/" }
    let (username, password, host, port) = try parts(authority, standard: known.port)
    let endpoint = Endpoint(host: host, port: port)
    if let problem = endpoint.problem { throw .invalidURL(problem) }
    return ProxySettings(known.kind, endpoint, username: username, password: password)
  }

  /// Takes `user:password@host:port` apart.
  private static func parts(
    _ authority: Substring, standard: UInt16
  ) throws(MQTTAsyncError) -> (username: String?, password: String?, host: String, port: UInt16) {
    guard let at = authority.lastIndex(of: "@") else {
      let (host, port) = try split(authority, standard: standard)
      return (nil, nil, host, port)
    }
    let user = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let (host, port) = try split(authority[authority.index(after: at)...], standard: standard)
    return (try decoded(user[0]), user.count > 1 ? try decoded(user[1]) : nil, host, port)
  }

  private static func split(
    _ place: Substring, standard: UInt16
  ) throws(MQTTAsyncError) -> (host: String, port: UInt16) {
    var host = place
    var port: Substring?
    if place.first == "[" {
      guard let end = place.firstIndex(of: "]") else {
        throw .invalidURL("the URL's IPv6 address has no ']'; write mqtt://[::1]:1883")
      }
      host = place[place.index(after: place.startIndex)..<end]
      let rest = place[place.index(after: end)...]
      guard rest.isEmpty || rest.first == ":" else {
        throw .invalidURL("the URL has '\(rest)' behind the host; write mqtt://[::1]:1883")
      }
      port = rest.isEmpty ? nil : rest.dropFirst()
    } else if let colon = place.firstIndex(of: ":") {
      host = place[..<colon]
      port = place[place.index(after: colon)...]
    }
    guard !host.isEmpty else { throw .invalidURL("the URL has no host; write mqtt://HOST") }
    guard let port else { return (String(host), standard) }
    guard let number = UInt16(port), number > 0 else {
      throw .invalidURL("'\(port)' in the URL is no port; ports are 1…65535 (IPv6: mqtt://[::1]:1883)")
    }
    return (String(host), number)
  }

  /// Undoes `%40` and the like.
  private static func decoded(_ text: Substring) throws(MQTTAsyncError) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      else { throw .invalidURL("'%' in the URL's user name or password wants two hexadecimal digits") }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .invalidURL("the URL's user name or password is no UTF-8")
    }
    return text
  }
}
