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

  func refused(_ refusal: MQTTReasonCode) {
    if lastFailure == .refused(refusal) { return }
    lastFailure = .refused(refusal)
    var line: FixedText = "the broker refused the connection: "
    line.append(refusal.refusalText)
    log.write(.error, line)
  }
}

/// The last failure that was logged.
enum ConnectionFailure: Equatable {
  case none
  case failed(MQTTDisconnectReason)
  case refused(MQTTReasonCode)
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
    case .acknowledgementTimeout: text.append("the broker does not acknowledge what it is sent")
    case .malformed: text.append("the broker sent bytes that are not MQTT")
    case .unexpectedPacket(let type):
      text.append("the broker sent a packet that may not come now, of type ")
      text.append(decimal: Int64(type))
    case .packetTooLarge(let type):
      text.append("the broker sent a packet that is too long, of type ")
      text.append(decimal: Int64(type))
    case .violation(let code):
      text.append("the broker broke a rule of MQTT: ")
      text.append(code.text)
    case .server(.sessionTakenOver):
      text.append("another client came with our client id: give each device a name or client_id of its own")
    case .server(let code):
      text.append("the broker closed the connection: ")
      text.append(code.text)
    case .authenticationFailed: text.append("the broker could not prove who it is")
    case .closedEarly:
      text.append("the broker closes every connection at once: does another client use our client id?")
    }
    return text
  }
}

extension MQTTReasonCode {
  /// Why the broker refused the connection.
  var refusalText: StaticString {
    switch self {
    case .unsupportedProtocolVersion: "it does not speak this version of MQTT"
    case .clientIdentifierNotValid: "it does not like the client id: set client_id under mqtt"
    case .serverUnavailable: "it is not available"
    case .badUserNameOrPassword:
      "wrong user name or password: look at username and password under mqtt"
    case .notAuthorized: "not authorized: look at the broker's user and access lists"
    default: text
    }
  }
}
