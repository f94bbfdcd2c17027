import MQTTAuthentication
import MQTTClient

extension AuthenticationSource {
  /// SCRAM-SHA-256; OpenSSL's libcrypto is loaded when it is needed.
  public static var scramSHA256: AuthenticationSource {
    AuthenticationSource { user, password in ScramSHA256(user: user, password: password) }
  }
}
