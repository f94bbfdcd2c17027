import MQTTClient
import MQTTCodec

// Why there is no connection, in a person's words, with what to look at. The same reason again and again is
// logged once.

extension Device {
  func connectionFailed(_ reason: MQTTDisconnectReason) {
    if lastFailure == .failed(reason) { return }
    lastFailure = .failed(reason)
    log.write(.warning, reason.text("no connection to the broker, trying again: "))
  }

  func refused(_ refusal: MQTTRefusal) {
    if lastFailure == .refused(refusal) { return }
    lastFailure = .refused(refusal)
    var line: FixedText = "the broker refused the connection: "
    line.append(refusal.text)
    log.write(.error, line)
  }
}

/// The last failure that was logged.
enum ConnectionFailure: Equatable {
  case none
  case failed(MQTTDisconnectReason)
  case refused(MQTTRefusal)
}

extension MQTTDisconnectReason {
  func text(_ prefix: StaticString) -> FixedText {
    var text = FixedText()
    text.append(prefix)
    switch self {
    case .requested: text.append("disconnected")
    case .transportClosed: text.append("the connection was closed")
    case .connectTimeout: text.append("the broker does not answer")
    case .keepAliveTimeout: text.append("no sign of life from the broker within the keep alive time")
    case .malformed: text.append("the broker sent bytes that are not MQTT")
    case .unexpectedPacket(let type):
      text.append("the broker sent a packet that may not come now, of type ")
      text.append(decimal: Int64(type))
    case .packetTooLarge(let type):
      text.append("the broker sent a packet that is too long, of type ")
      text.append(decimal: Int64(type))
    }
    return text
  }
}

extension MQTTRefusal {
  var text: StaticString {
    switch self {
    case .accepted: "accepted"
    case .unacceptableProtocolVersion: "it does not speak MQTT 3.1.1"
    case .identifierRejected: "it does not like the client id: set client_id under mqtt"
    case .serverUnavailable: "it is not available"
    case .badUsernameOrPassword: "wrong user name or password: look at username and password under mqtt"
    case .notAuthorized: "not authorized: look at the broker's user and access lists"
    }
  }
}
