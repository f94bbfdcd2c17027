/// How a broker is spoken to: the front of its URL.
public enum BrokerScheme: Sendable {
  case mqtt
  case mqtts
  case ws
  case wss
  case unix
  /// Of proxies.
  case socks5
  case http

  static var brokers: [BrokerScheme] { [.mqtt, .mqtts, .ws, .wss, .unix] }
  static var proxies: [BrokerScheme] { [.socks5, .http] }

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

  public var isSecure: Bool { self == .mqtts || self == .wss }
  public var isWebSocket: Bool { self == .ws || self == .wss }

  var defaultPort: UInt16 {
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
}

/// One of the brokers, in the order in which they are tried.
public struct ServerDescription: Sendable {
  public var scheme: BrokerScheme
  /// A host name or an address, IPv6 addresses without their brackets; or the path of a local socket.
  public var host: String
  public var port: UInt16
  /// Path and query of a WebSocket.
  public var path: String
}
