/// What an authenticator makes of a challenge.
public enum MQTTAuthenticationAnswer: Sendable {
  case given
  /// It takes more time than a caller may be held up: it wants to be asked the same again soon.
  case later
  /// The connection is given up.
  case refused
}

/// A method of authentication in several steps (MQTT 5.0, section 4.12), such as SCRAM-SHA-256. The client
/// calls it from inside `transportOpened`, `nextEvent` and `reauthenticate`; it must not call the client.
public protocol MQTTAuthenticator: AnyObject {
  /// The name that both sides know the method by.
  var method: StaticString { get }

  /// Begins anew, on a connection or on request: appends the first data for the server, if it has any.
  func start(into data: inout [UInt8])

  /// The server goes on: appends the answer.
  func answer(_ challenge: Span<UInt8>, into data: inout [UInt8]) -> MQTTAuthenticationAnswer

  /// The server is satisfied, with its last data: false, and the connection is given up, if we are not.
  func finish(_ data: Span<UInt8>) -> Bool
}
