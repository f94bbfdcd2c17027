import MQTTAsync
import TestBroker
import Testing

/// Each way to a server, with mosquitto at its end.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct TransportTests {
  let certificates: TestCertificates
  let broker: TestBroker
  let ports: [String: UInt16]

  init() throws {
    certificates = try TestCertificates()
    var ports: [String: UInt16] = [:]
    for name in ["tls", "client", "ws", "wss"] { ports[name] = try TestBroker.freePort() }
    let client = certificates.listener(ports["client"] ?? 0) + "require_certificate true\n"
    broker = try TestBroker(
      settings: "allow_anonymous true\n" + certificates.listener(ports["tls"] ?? 0) + client
        + certificates.listener(ports["wss"] ?? 0) + "protocol websockets\n"
        + "listener \(ports["ws"] ?? 0) 127.0.0.1\nprotocol websockets\n"
        + "listener 0 \(certificates.path("mqtt.sock"))\n",
      others: Array(ports.values))
    self.ports = ports
  }

  private func url(_ scheme: String, _ name: String) -> String {
    "\(scheme)://localhost:\(ports[name] ?? 0)"
  }

  private func trusting() -> MQTTTransport {
    var transport = MQTTTransport()
    transport.tls.caFile = certificates.path("ca.crt")
    return transport
  }

  /// A message goes there and comes back.
  private func talk(_ url: String, _ transport: MQTTTransport = MQTTTransport()) async throws {
    let client = try await MQTTAsyncClient.connect(url, options: options(), transport: transport)
    let messages = try await client.messages("a", qos: .atLeastOnce)
    try await client.publish("a", "there", qos: .exactlyOnce)
    #expect(await take(1, from: messages) == ["there"])
  }

  private func refusal(_ url: String, _ transport: MQTTTransport = MQTTTransport()) async throws -> String {
    let refusal = await error { () throws(MQTTAsyncError) in
      _ = try await MQTTAsyncClient.connect(url, options: options(), transport: transport)
    }
    return try "\(#require(refusal))"
  }

  @Test("TLS with an authority; without it the server is not believed, and the setting is named")
  func tls() async throws {
    try await talk(url("mqtts", "tls"), trusting())
    #expect(try await refusal(url("mqtts", "tls")).contains("with caFile or caDirectory"))
    var strange = MQTTTransport()
    strange.tls.caFile = certificates.path("strange.crt")
    #expect(try await refusal(url("mqtts", "tls"), strange).contains("certificate is not accepted"))
  }

  @Test("A server that wants a certificate of ours gets it") func clientCertificate() async throws {
    var transport = trusting()
    _ = try await refusal(url("mqtts", "client"), transport)
    transport.tls.certificate = certificates.path("client.crt")
    transport.tls.key = certificates.path("client.key")
    try await talk(url("mqtts", "client"), transport)
  }

  @Test("A pin is enough, a wrong one refuses, and one that is none is told before connecting")
  func pin() async throws {
    var transport = MQTTTransport()
    transport.tls.pin = try certificates.pin()
    try await talk(url("mqtts", "tls"), transport)
    transport.tls.pin?[0] ^= 1
    #expect(try await refusal(url("mqtts", "tls"), transport).contains("pin"))
    transport.tls.pin = [1, 2, 3]
    #expect(try await refusal(url("mqtts", "tls"), transport).contains("32 bytes"))
  }

  @Test("Without verification anybody is believed") func insecure() async throws {
    var transport = MQTTTransport()
    transport.tls.isInsecure = true
    try await talk(url("mqtts", "tls"), transport)
  }

  @Test("WebSockets, with TLS too") func webSockets() async throws {
    try await talk(url("ws", "ws") + "/mqtt")
    try await talk(url("wss", "wss") + "/mqtt", trusting())
    var transport = MQTTTransport()
    transport.headers = ["no header"]
    #expect(try await refusal(url("ws", "ws"), transport).contains("'Name: value'"))
  }

  @Test("A local socket") func localSocket() async throws {
    try await talk("unix://" + certificates.path("mqtt.sock"))
    let nobody = certificates.path("nobody.sock")
    #expect(try await refusal("unix://" + nobody).hasPrefix("\(nobody): No such file"))
  }

  @Test("The next server takes over, and the first one takes back") func failover() async throws {
    let first = try TestBroker()
    var transport = MQTTTransport()
    transport.failback = .milliseconds(200)
    let client = try await MQTTAsyncClient.connect(
      first.url, broker.url, options: options(), transport: transport)
    let messages = try await client.messages("a", qos: .atLeastOnce)
    var states = client.states.makeAsyncIterator()
    _ = await states.next()
    first.kill()
    while let state = await states.next(), !state.isConnected {}
    try await client.publish("a", "second", qos: .atLeastOnce)
    try first.start()
    while let state = await states.next(), state.isConnected {}
    while let state = await states.next(), !state.isConnected {}
    broker.kill()
    try await client.publish("a", "first", qos: .atLeastOnce)
    #expect(await take(2, from: messages) == ["second", "first"])
  }

  @Test(
    "SCRAM-SHA-256 says what it needs",
    arguments: [
      (nil, "secret", MQTTVersion.v5, "needs a user name and a password"),
      ("me", nil, .v5, "needs a user name and a password"),
      ("me", "secret", .v3_1_1, "needs MQTT 5.0"),
      ("me", "gehe\u{ef}m", .v5, "ASCII"),
      ("m\u{fc}", "secret", .v5, "ASCII"),
    ] as [(String?, String?, MQTTVersion, String)])
  func scram(_ user: String?, _ password: String?, _ version: MQTTVersion, _ text: String) throws {
    var options = options(version)
    options.username = user
    options.password = password.map { Array($0.utf8) }
    let refusal = #expect(throws: MQTTAsyncError.self) {
      try MQTTAsyncClient(broker.url, options: options, authentication: .scramSHA256)
    }
    #expect(try "\(#require(refusal))".contains(text))
  }
}
