import HaaSMQTT
import MQTTAsync
import TestBroker
import Testing

/// Options, one by one: what the server sees of them.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct OptionTests {
  private let notes = Notes()

  /// How a client with these options introduces itself.
  private func introduction(_ change: (inout mqtt.Options) -> Void = { _ in }) throws -> TestConnect {
    let listener = try TestListener()
    var options = mqtt.Options(host: "127.0.0.1", port: listener.port)
    change(&options)
    let client = try #require(mqtt.createClient(options))
    defer { client.close() }
    return try TestConnect(listener.packet())
  }

  @Test("host: String, IP or name; port: Number, default 1883")
  func hostAndPort() throws {
    for host in ["broker.local", "192.0.2.1", "::1"] {
      let server = try mqtt.Options(host: host).server()
      #expect(server.endpoint.host == host)
      #expect(server.endpoint.port == 1883)
      #expect(server.tls == nil)
    }
    #expect(try mqtt.Options(host: "h", port: 5).server().endpoint.port == 5)
  }

  @Test("clientId: String, default random") func clientId() throws {
    #expect(try introduction { $0.clientId = "mine" }.clientID == "mine")
    let random = try [introduction().clientID, introduction().clientID]
    #expect(random[0] != random[1])
    #expect(random.allSatisfy { !$0.isEmpty && $0.utf8.count <= 23 })
  }

  @Test("username, password: String, optional") func credentials() throws {
    let with = try introduction {
      $0.username = "me"
      $0.password = "pw"
    }
    #expect(with.flags & 0xC0 == 0xC0)
    #expect(with.rest == [0, 2] + Array("me".utf8) + [0, 2] + Array("pw".utf8))
    let without = try introduction()
    #expect(without.flags & 0xC0 == 0)
    #expect(without.rest.isEmpty)
  }

  @Test("keepalive_interval: Number of seconds, default 60") func keepAlive() throws {
    #expect(try introduction().keepAlive == 60)
    #expect(try introduction { $0.keepalive_interval = 7 }.keepAlive == 7)
  }

  @Test("Extra: protocolVersion, 5 by default") func protocolVersion() throws {
    #expect(try introduction().level == 5)
    #expect(try introduction { $0.protocolVersion = 4 }.level == 4)
  }

  @Test("Extra: cleanSession, true by default; without it the server keeps messages")
  func cleanSession() async throws {
    #expect(try introduction().flags & 2 == 2)
    #expect(try introduction { $0.cleanSession = false }.flags & 2 == 0)
    let broker = try TestBroker()
    let notes = notes
    var options = mqtt.Options(host: "127.0.0.1", port: broker.port)
    options.clientId = "keeper"
    options.cleanSession = false
    let first = try #require(mqtt.createClient(options))
    first.on(.close) { notes.add("closed") }
    #expect(first.subscribe(topic: "a", qos: 1, success: { notes.add("subscribed") }) == 0)
    try await notes.wait(for: "subscribed")
    #expect(first.close() == 0)
    try await notes.wait(for: "closed")
    try broker.publish("-t", "a", "-m", "kept", "-q", "1")
    let second = try #require(mqtt.createClient(options))
    second.on(.message) { topic, message in notes.add("\(topic) \(String(decoding: message, as: UTF8.self))")
    }
    try await notes.wait(for: "a kept")
  }

  @Test("Extra: will, published when the server loses the client") func will() async throws {
    let broker = try TestBroker()
    let notes = notes
    let observer = try await MQTTAsyncClient.connect(broker.url)
    let wills = try await observer.messages("will", qos: .atLeastOnce)
    var options = mqtt.Options(host: "127.0.0.1", port: broker.port)
    options.clientId = "lost"
    options.protocolVersion = 4
    options.reconnectPeriod = 60_000
    options.will = MQTTWill(topic: "will", payload: Array("lost".utf8), qos: .atLeastOnce, retain: true)
    options.success = { notes.add("success") }
    let client = try #require(mqtt.createClient(options))
    try await notes.wait(for: "success")
    // Another client with its identifier: the server drops the first.
    try broker.publish("-t", "b", "-m", "x", "-i", "lost")
    #expect(await wills.first { _ in true }?.text == "lost")
    #expect(client.close() == 0)
  }

  @Test("Extra: tls; port 8883, and a server that is not to be believed is not") func tls() async throws {
    var options = mqtt.Options(host: "localhost")
    options.tls = TLSSettings()
    #expect(try options.server().endpoint.port == 8883)
    let certificates = try TestCertificates()
    let port = try TestBroker.freePort()
    let broker = try TestBroker(
      settings: "allow_anonymous true\n" + certificates.listener(port), others: [port])
    let notes = notes
    options.port = port
    options.fail = { notes.add($0.contains("certificate is not accepted") ? "refused" : $0) }
    let stranger = try #require(mqtt.createClient(options))
    try await notes.wait(for: "refused")
    #expect(stranger.close() == 0)
    options.tls?.caFile = certificates.path("ca.crt")
    options.success = { notes.add("success") }
    let client = try #require(mqtt.createClient(options))
    try await notes.wait(for: "success")
    #expect(client.close() == 0)
    broker.kill()
  }

  @Test("Extra: connectTimeout in milliseconds, for a server that says nothing")
  func connectTimeout() async throws {
    let listener = try TestListener()
    let notes = notes
    var options = mqtt.Options(host: "127.0.0.1", port: listener.port)
    options.connectTimeout = 300
    options.fail = { notes.add($0.contains("did not answer in time") ? "timeout" : $0) }
    let begin = ContinuousClock.now
    let client = try #require(mqtt.createClient(options))
    // One with the default, which has not been told before.
    var patient = mqtt.Options(host: "127.0.0.1", port: listener.port)
    patient.fail = { _ in notes.add("the other") }
    let other = try #require(mqtt.createClient(patient))
    try await notes.wait(for: "timeout")
    #expect(ContinuousClock.now - begin >= .milliseconds(300))
    #expect(notes.all == ["timeout"])
    #expect(other.close() == 0)
    #expect(client.close() == 0)
    _ = listener.port
  }

  @Test("Extra: reconnectPeriod in milliseconds between attempts") func reconnectPeriod() async throws {
    let notes = notes
    var options = mqtt.Options(host: "127.0.0.1", port: try TestBroker.freePort())
    options.reconnectPeriod = 200
    let begin = ContinuousClock.now
    let client = try #require(mqtt.createClient(options))
    client.on(.error) { _ in notes.add("\(notes.all.count)") }
    try await notes.wait(for: "2")
    // Attempts at once, after 200 ms and after up to 400 ms more, with jitter.
    #expect(ContinuousClock.now - begin >= .milliseconds(200))
    #expect(client.close() == 0)
  }
}
