import DeviceFile
import MQTTCodec

/// How the broker is shown that user name and password are known.
public enum AuthenticationDescription: Sendable {
  /// They are sent.
  case password
  /// SCRAM-SHA-256, in MQTT 5.0's enhanced authentication: the password is not sent.
  case scramSHA256
}

// `auth` of the broker, after user name, password and version.
extension BrokerReader {
  func readAuthentication(_ fields: Fields, into broker: BrokerDescription) {
    guard let field = fields.optional("auth"), field.choice(["password", "scram-sha-256"]) == 1 else {
      return
    }
    broker.authentication = .scramSHA256
    if !features.hasScram { field.report("this program was built without SCRAM") }
    if broker.username == nil || broker.password == nil {
      field.report("'auth: scram-sha-256' needs 'username' and 'password'")
    }
    // Other text has several spellings, of which the broker keeps one (RFC 4013).
    let bytes = (broker.username ?? "").bytes + (broker.password ?? "").bytes
    if !bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
      field.report("'auth: scram-sha-256' needs a user name and a password of ASCII characters")
    }
    if broker.version == .v3_1_1 { field.report("'auth: scram-sha-256' needs 'version: 5'") }
  }
}
