import DeviceFile
import MQTTConnection

/// One of the brokers, in the order in which they are tried.
public struct ServerDescription: Sendable {
  public var scheme: MQTTURL.Scheme
  /// A host name or an address, IPv6 addresses without their brackets; or the path of a local socket.
  public var host: String
  public var port: UInt16
  /// Path and query of a WebSocket.
  public var path: String
}

extension Problems {
  /// What is wrong with a URL.
  func report(_ mark: Mark, _ fault: MQTTURLFault) {
    report(mark, "\(fault.message)", fault.suggestion.map { "\($0)" })
  }
}
