import LinuxPlatform

/// Where a server is, as people write it: `mqtt://user:password@host:port`, `mqtts`, `ws` and `wss`, the latter two with
/// a path, and `unix:///path/of/a/socket`; or where a proxy is. Device files and command lines take the same.
///
/// Faults quote nothing behind the scheme: what is wrong may be that a password stands in the wrong place.
public struct MQTTURL: Sendable {
  public var scheme = Scheme.mqtt
  public var username: String?
  public var password: String?
  /// A name or an address, IPv6 addresses without their brackets; of a local socket its path.
  public var host = ""
  public var port: UInt16 = 0
  /// Of a WebSocket path and query, with the slash that they begin with.
  public var path = "/"
  /// What stands behind the host, where a topic may (`Kind.serverAndTopic`).
  public var topic: String?

  /// What a URL is for.
  public enum Kind: Sendable {
    case server
    /// `mqtt://HOST/TOPIC`, as mosquitto's tools have it.
    case serverAndTopic
    case proxy
  }

  public init(_ text: String, _ kind: Kind = .server) throws(MQTTURLFault) {
    var reader = URLReader(kind)
    self = try reader.read(Array(text.utf8))
  }

  init() {}
}

extension MQTTURL {
  /// How a server is spoken to: the front of its URL.
  public enum Scheme: Sendable, CaseIterable {
    case mqtt, mqtts, ws, wss, unix
    /// Of proxies.
    case socks5, http

    public var name: String {
      switch self {
      case .mqtt: "mqtt"
      case .mqtts: "mqtts"
      case .ws: "ws"
      case .wss: "wss"
      case .unix: "unix"
      case .socks5: "socks5"
      case .http: "http"
      }
    }

    /// The one that counts when the URL names none.
    public var defaultPort: UInt16 {
      switch self {
      case .mqtt: 1883
      case .mqtts: 8883
      case .ws: 80
      case .wss: 443
      case .unix: 0
      case .socks5: 1080
      case .http: 3128
      }
    }

    public var isSecure: Bool { self == .mqtts || self == .wss }
    public var isWebSocket: Bool { self == .ws || self == .wss }
  }
}

/// What is wrong with a URL, and what to write.
public struct MQTTURLFault: Error, Equatable, CustomStringConvertible {
  public let message: String
  public let suggestion: String?

  public init(message: String, suggestion: String?) {
    self.message = message
    self.suggestion = suggestion
  }

  public var description: String {
    guard let suggestion else { return message }
    return message + "; " + suggestion
  }
}
