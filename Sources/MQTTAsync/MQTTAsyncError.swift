import MQTTClient

/// Why a call of `MQTTAsyncClient` did not do what it was asked. Its description says what to do about it.
public enum MQTTAsyncError: Error, Equatable, Sendable {
  /// The URL of a server, without what may be secret in it, and what is wrong.
  case invalidURL(String)
  case invalidOptions(MQTTOptionsError)
  /// A header, a pin.
  case invalidTransport(String)
  case invalidAuthentication(String)
  /// The outbox's file cannot be opened, or does not keep a message.
  case outbox(String)
  /// The system has no threads or files left.
  case system(String)
  /// No connection to any of the servers; the latest one's reason.
  case unreachable(String)
  /// The server refused the connection; its words, if it has any.
  case refused(MQTTReasonCode, String?)
  /// The connection ended; its words, if it has any.
  case connectionLost(MQTTDisconnectReason, String?)
  /// QoS 0 is not kept for later.
  case notConnected
  /// The message is none, or never fits.
  case publish(MQTTPublishError)
  /// The server did not take the message; its words, if it has any.
  case publishFailed(MQTTPublishFailure, String?)
  case invalidFilter(String, MQTTSubscribeError)
  /// The server did not take the filter; its words, if it has any.
  case subscriptionRefused(String, MQTTReasonCode, String?)
  /// The server did not forget the filter; its words, if it has any.
  case unsubscriptionRefused(String, MQTTReasonCode, String?)
  /// A property is longer than 65,535 bytes, or is none of 5.0.
  case invalidProperties
  /// The connection is of 3.1.1, which knows no responses.
  case needsMQTT5
  /// No response in time.
  case timedOut
  /// The server's answer is behind messages of that stream that nobody takes.
  case blocked(String)
  /// The task was cancelled. A message that was on its way may still arrive.
  case cancelled
  /// `disconnect` was called, or the client is gone.
  case closed
}

extension MQTTAsyncError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidURL(let what), .invalidTransport(let what), .invalidAuthentication(let what): what
    case .outbox(let what): "outbox \(what)"
    case .invalidOptions(let error): error.advice
    case .system(let message): "the system refused a thread or a file: \(message)"
    case .unreachable(let reason):
      // What is wrong with a file of ours is not the server's, and one that talks of certificates is there.
      reason.contains("cannot be used") || reason.contains("certificate")
        ? reason : "\(reason); is the server running, and are host and port right?"
    case .refused(let code, let words):
      "the server refused the connection: \(code.words)\(quoting(words))\(code.advice)"
    case .connectionLost(let reason, let words): "\(reason.words)\(quoting(words))"
    case .notConnected:
      "not connected: a message of QoS 0 is not kept; use QoS 1, or wait for the connection"
    case .publish(let error): error.words
    case .publishFailed(.sessionLost, _):
      "the server lost the session before it confirmed the message, which may have arrived; "
        + "publish again if twice does no harm"
    case .publishFailed(.expired, _): "the message expired before it could be sent"
    case .publishFailed(.refused(let code), let words):
      "the server refused the message: \(code.words)\(quoting(words))\(code.advice)"
    case .invalidFilter(let filter, let error): "'\(filter)' is no topic filter\(error.advice)"
    case .subscriptionRefused(let filter, let code, let words):
      "the server refused the subscription '\(filter)': \(code.words)\(quoting(words))\(code.advice)"
    case .unsubscriptionRefused(let filter, let code, let words):
      "the server did not forget the subscription '\(filter)': \(code.words)\(quoting(words))\(code.advice)"
    case .invalidProperties: "a property is longer than 65,535 bytes, or has no place in this packet"
    case .needsMQTT5: "this needs MQTT 5.0, and the server speaks 3.1.1 only"
    case .timedOut: "no response in time"
    case .blocked(let filter):
      "the server's answer is behind messages of '\(filter)' that nobody takes: take them in another task, "
        + "or let that stream drop some"
    case .cancelled: "cancelled"
    case .closed: "the client is closed"
    }
  }

  private func quoting(_ words: String?) -> String {
    words.map { " ('\($0)')" } ?? ""
  }
}

extension MQTTReasonCode {
  var words: String { "\(text)" }

  /// What a person can do.
  var advice: String {
    switch self {
    case .badUserNameOrPassword: "; check user name and password"
    case .notAuthorized: "; check user name, password, and what the server's access list allows"
    case .clientIdentifierNotValid: "; choose another client identifier"
    case .unsupportedProtocolVersion: "; try the other protocol version"
    case .sharedSubscriptionsNotSupported: "; subscribe without $share"
    case .wildcardSubscriptionsNotSupported: "; subscribe without '+' and '#'"
    case .packetTooLarge: "; send less at a time"
    case .retainNotSupported: "; publish without retain"
    case .qosNotSupported: "; use a lower QoS"
    default: ""
    }
  }
}

extension MQTTOptionsError {
  var advice: String {
    switch self {
    case .invalidString:
      "a client identifier, user name, password or topic is longer than 65,535 bytes or contains U+0000"
    case .emptyClientID: "a session that is kept needs a client identifier"
    case .passwordWithoutUsername: "a password needs a user name"
    case .invalidWillTopic: "the will's topic is empty, has a wildcard, or is no UTF-8"
    case .invalidCapacity: "a capacity is too small for one packet"
    case .invalidProperties: "a property has no place in CONNECT or in the will, or its value is out of range"
    case .unavailableVersion: "MQTT 5.0 was not built in"
    }
  }
}

extension MQTTDisconnectReason {
  var words: String {
    switch self {
    case .requested: "disconnected"
    case .transportClosed: "the connection broke off"
    case .connectTimeout: "the server did not answer in time; is it an MQTT server, and is the port right?"
    case .keepAliveTimeout: "the server gave no sign of life"
    case .acknowledgementTimeout: "the server did not acknowledge in time what it was sent"
    case .malformed(let packet): "the server sent what is no MQTT [\(packet.statement)]"
    case .unexpectedPacket(let type): "the server sent a packet of type \(type) that may not come now"
    case .packetTooLarge(let type): "the server sent a packet of type \(type) that is too large"
    case .violation(let code): "the server broke a rule: \(code.words)"
    case .server(.sessionTakenOver):
      "another client came with the same client identifier; give each its own"
    case .server(let code): "the server closed the connection: \(code.words)"
    case .authenticationFailed: "the server could not prove who it is"
    case .closedEarly:
      "the server closes every connection soon; perhaps another client has the same client identifier"
    }
  }
}

extension MQTTPublishError {
  var words: String {
    switch self {
    case .notConnected: "not connected"
    case .outputFull, .outboxFull: "too many messages wait for the server"
    case .storeFailed: "the disk cannot keep the message"
    case .tooLarge: "the message does not fit: raise sendCapacity and outboxCapacity in the options"
    case .invalidTopic: "the topic is empty, too long, has '+' or '#' in it, or is no UTF-8"
    case .invalidProperties: "the properties are none that a message may carry"
    case .unsupported(let code): "the server takes no such messages: \(code.words)\(code.advice)"
    }
  }
}

extension MQTTSubscribeError {
  var advice: String {
    switch self {
    case .invalidFilter: ": '#' stands alone at the end, '+' alone between slashes"
    case .tooLarge: " that fits: raise sendCapacity in the options"
    case .invalidOptions: " that may have these options: no local is not for shared subscriptions"
    }
  }
}
