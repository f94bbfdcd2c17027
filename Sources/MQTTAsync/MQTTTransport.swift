import LinuxPlatform
import MQTTAuthentication
import MQTTClient

/// What lies between MQTT and the network, for all servers of a client.
public struct MQTTTransport: Sendable {
  /// Counts where the scheme is `mqtts` or `wss`.
  public var tls = TLSSettings()
  /// Further lines `Name: value` of a WebSocket's request, such as an authorisation.
  public var headers: [String] = []
  /// `socks5://user:password@host:port`, or `http`; local sockets need none.
  public var proxy: String?
  /// How often the first server is tried while a later one serves.
  public var failback = Duration.seconds(60)

  public init() {}

  func check() throws(MQTTAsyncError) {
    if let pin = tls.pin, pin.count != 32 {
      throw .invalidTransport("a pin is the SHA-256 of the server's public key, 32 bytes")
    }
    for header in headers {
      let bytes = Array(header.utf8)
      let isLine = bytes.count <= 1024 && bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
      guard isLine, let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > 0 else {
        throw .invalidTransport("a header is a line like 'Name: value' of at most 1024 bytes")
      }
    }
  }
}

/// How the server is shown that user name and password are known.
public enum MQTTAuthentication: Sendable {
  /// They are sent.
  case password
  /// SCRAM-SHA-256 (RFC 7677), in the enhanced authentication of MQTT 5.0: the password is not sent, and the
  /// server proves that it knows it too.
  case scramSHA256

  /// What the session needs for that; takes user name and password out of the options.
  func authenticator(
    _ options: inout MQTTClientOptions
  ) throws(MQTTAsyncError) -> (any MQTTAuthenticator)? {
    guard case .scramSHA256 = self else { return nil }
    guard let username = options.username, let password = options.password else {
      throw .invalidAuthentication("SCRAM-SHA-256 needs a user name and a password")
    }
    guard options.version == .v5 else {
      throw .invalidAuthentication("SCRAM-SHA-256 needs MQTT 5.0, and the options say 3.1.1")
    }
    guard ScramSHA256.takes(username, password) else {
      throw .invalidAuthentication(
        "SCRAM-SHA-256 takes user names and passwords of ASCII characters only: others have several spellings"
      )
    }
    guard let scram = ScramSHA256(user: username, password: password) else {
      throw .invalidAuthentication("SCRAM-SHA-256 needs libcrypto.so.3, which is not here: install openssl")
    }
    options.username = nil
    options.password = nil
    options.fallsBack = false
    return scram
  }
}
