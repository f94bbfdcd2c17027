import Configuration
import DeviceFile
import Testing

struct AuthenticationTests {
  private func broker(_ rest: String) throws -> BrokerDescription {
    try load(ConfigurationTests.broker("{ url: mqtt://h, \(rest) }")).device.broker
  }

  @Test func `auth is the password unless it is SCRAM`() throws {
    let login = "username: u, password: p"
    #expect(try broker(login).authentication == .password)
    #expect(try broker(login + ", auth: password").authentication == .password)
    #expect(try broker(login + ", auth: scram-sha-256").authentication == .scramSHA256)
  }

  @Test(arguments: [
    (
      "username: u, password: p, auth: scram",
      "'auth' in 'mqtt' must be password or scram-sha-256, not 'scram'"
    ),
    ("auth: scram-sha-256", "'auth: scram-sha-256' needs 'username' and 'password'"),
    (
      "username: u, password: p, version: 3.1.1, auth: scram-sha-256",
      "'auth: scram-sha-256' needs 'version: 5'"
    ),
    (
      "username: u, password: gehe\u{ef}m, auth: scram-sha-256",
      "'auth: scram-sha-256' needs a user name and a password of ASCII characters"
    ),
    (
      "username: m\u{fc}, password: p, auth: scram-sha-256",
      "'auth: scram-sha-256' needs a user name and a password of ASCII characters"
    ),
  ])
  func `what is wrong is named`(rest: String, error: String) {
    let found = errors(ConfigurationTests.broker("{ url: mqtt://h, \(rest) }"))
    #expect(found.contains { $0.contains(error) }, "\(found)")
  }
}
