import DeviceFile
import MQTTConnection

// A port that is another scheme's: the broker closes without a word, and has been sent the password by then.
extension BrokerDescription {
  func warnOfPorts(_ warnings: Problems) {
    for server in servers {
      guard let other = server.scheme.other(of: server.port) else { continue }
      warnings.report(
        mark, "\(server.scheme.name):// with port \(Int(server.port)), which is that of \(other.name)://",
        other.isSecure
          ? "use \(other.name)://, else passwords are sent in the clear"
          : "leave the port out for \(Int(server.scheme.defaultPort)), or use \(other.name)://")
    }
  }
}

extension MQTTURL.Scheme {
  /// The scheme with TLS, or without it, whose usual port it is.
  fileprivate func other(of port: UInt16) -> MQTTURL.Scheme? {
    let other: MQTTURL.Scheme
    switch self {
    case .mqtt: other = .mqtts
    case .mqtts: other = .mqtt
    case .ws: other = .wss
    case .wss: other = .ws
    case .unix, .socks5, .http: return nil
    }
    return port == other.defaultPort ? other : nil
  }
}
