import HaaSMQTT
import MQTTAsync
import TestBroker
import Testing

/// Each test quotes the manual's item.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ContractTests {
  let broker: TestBroker
  private let notes = Notes()

  init() throws {
    broker = try TestBroker()
  }

  private var options: mqtt.Options {
    var options = mqtt.Options(host: "127.0.0.1", port: broker.port)
    options.reconnectPeriod = 20
    return options
  }

  private func listen(to client: mqtt.MQTTClient) {
    let notes = notes
    client.on(.connect) { notes.add("connect") }
    client.on(.disconnect) { notes.add("disconnect") }
    client.on(.reconnect) { notes.add("reconnect") }
    client.on(.close) { notes.add("close") }
    client.on(.error) { notes.add("error: \($0)") }
    client.on(.message) { topic, message in notes.add("\(topic) \(message)") }
  }

  private func connected(_ options: mqtt.Options) async throws -> mqtt.MQTTClient {
    let notes = notes
    var options = options
    options.success = { notes.add("success") }
    let client = try #require(mqtt.createClient(options))
    listen(to: client)
    try await notes.wait(for: "success")
    return client
  }

  @Test("createClient(options): returns a client, connects at once")
  func createClientConnects() async throws {
    let client = try await connected(options)
    #expect(client.close() == 0)
  }

  @Test("createClient: empty = failed")
  func createClientFails() throws {
    let notes = notes
    var options = mqtt.Options(host: "")
    options.fail = { notes.add($0) }
    #expect(mqtt.createClient(options) == nil)
    #expect(notes.all == ["the broker URL has no host"])
  }

  @Test("success / fail: called on success / failure")
  func fails() async throws {
    broker.kill()
    let notes = notes
    var options = options
    options.fail = { notes.add("fail: \($0)") }
    let client = try #require(mqtt.createClient(options))
    let text =
      "127.0.0.1:\(broker.port): Connection refused; is the server running, and are host and port right?"
    try await notes.wait(for: "fail: \(text)")
    #expect(client.close() == 0)
  }

  @Test("username, password; the password is in no words")
  func password() async throws {
    let broker = try TestBroker(settings: "allow_anonymous false")
    let notes = notes
    var options = mqtt.Options(host: "127.0.0.1", port: broker.port)
    options.username = "me"
    options.password = "secret"
    options.fail = { notes.add($0) }
    let client = try #require(mqtt.createClient(options))
    try await notes.wait { !$0.isEmpty }
    #expect(notes.all.first?.contains("refused") == true)
    #expect(!notes.all.joined().contains("secret"))
    #expect(!String(describing: client).contains("secret"))
  }

  @Test("events: connect, disconnect, reconnect, message, error, close")
  func events() async throws {
    let client = try await connected(options)
    try await notes.wait(for: "connect")
    broker.kill()
    try await notes.wait(for: "disconnect")
    try broker.start()
    try await notes.wait(for: "reconnect")
    #expect(client.publish(topic: "a/#", message: "x") == -1)
    try await notes.wait(for: "error: 'a/#' is no topic to publish on")
    #expect(client.close() == 0)
    try await notes.wait(for: "close")
    let order = notes.all.filter { ["connect", "disconnect", "reconnect", "close"].contains($0) }
    #expect(order == ["connect", "disconnect", "reconnect", "disconnect", "close"])
  }

  @Test("message event: (topic, message: ArrayBuffer), not cut at NUL; an empty message is allowed")
  func messages() async throws {
    let client = try await connected(options)
    let notes = notes
    #expect(client.subscribe(topic: "/hello", qos: 1, success: { notes.add("subscribed") }) == 0)
    try await notes.wait(for: "subscribed")
    #expect(client.publish(topic: "/hello", message: [65, 0, 66]) == 0)
    #expect(client.publish(topic: "/hello", message: "") == 0)
    try await notes.wait(for: "/hello []")
    #expect(notes.all.filter { $0.hasPrefix("/hello") } == ["/hello [65, 0, 66]", "/hello []"])
  }

  @Test("subscribe({topic, qos = 0, success, fail}): 0 = ok, else failed")
  func subscribe() async throws {
    let client = try await connected(options)
    let notes = notes
    #expect(client.subscribe(topic: "a/#/b", fail: { _ in notes.add("fail") }) == -1)
    try await notes.wait(for: "fail")
    #expect(client.subscribe(topic: "a", qos: 3) == -1)
    #expect(client.subscribe(topic: "a") == 0)
  }

  @Test("subscribe: what the server refuses is told to fail and as an error")
  func subscriptionRefused() async throws {
    let client = try await connected(options)
    let notes = notes
    client.on(.error) { _ in notes.add("told") }
    #expect(client.subscribe(topic: "$share//a", fail: { _ in notes.add("fail") }) == 0)
    try await notes.wait(for: "fail")
    try await notes.wait(for: "told")
  }

  @Test("publish without a connection: -1 at qos 0, later at qos 1")
  func publishUnconnected() async throws {
    broker.kill()
    let client = try #require(mqtt.createClient(options))
    let notes = notes
    client.on(.error) { if $0.contains("QoS 0") { notes.add("told") } }
    #expect(client.publish(topic: "a", message: "0", fail: { _ in notes.add("fail") }) == -1)
    try await notes.wait(for: "fail")
    try await notes.wait(for: "told")
    #expect(client.publish(topic: "a", message: "1", qos: 1, success: { notes.add("done") }) == 0)
    try broker.start()
    try await notes.wait(for: "done")
  }

  @Test("unsubscribe({topic}): 0 / other")
  func unsubscribe() async throws {
    let client = try await connected(options)
    let notes = notes
    #expect(client.unsubscribe(topic: "a") == -1)
    #expect(client.subscribe(topic: "a", success: { notes.add("subscribed") }) == 0)
    try await notes.wait(for: "subscribed")
    #expect(client.unsubscribe(topic: "a") == 0)
    #expect(client.subscribe(topic: "b", success: { notes.add("b") }) == 0)
    try await notes.wait(for: "b")
    client.publish(topic: "a", message: "1")
    client.publish(topic: "b", message: "2")
    try await notes.wait(for: "b [50]")
    #expect(!notes.all.contains("a [49]"))
  }

  @Test(
    "publish({topic, message, qos = 0, success, fail}): 0 / other; in order, at every qos",
    arguments: [0, 1, 2])
  func publish(_ qos: Int) async throws {
    let client = try await connected(options)
    let notes = notes
    #expect(client.subscribe(topic: "a", qos: 2, success: { notes.add("subscribed") }) == 0)
    try await notes.wait(for: "subscribed")
    for number in UInt8(1)...50 {
      #expect(
        client.publish(topic: "a", message: [number], qos: qos, success: { notes.add("done \(number)") }) == 0
      )
    }
    try await notes.wait(for: "a [50]")
    try await notes.wait(for: "done 50")
    #expect(notes.all.filter { $0.hasPrefix("a ") } == (1...50).map { "a [\($0)]" })
  }

  @Test("close(): 0 / other")
  func close() async throws {
    let client = try await connected(options)
    #expect(client.close() == 0)
    #expect(client.close() == -1)
    try await notes.wait(for: "close")
    #expect(client.publish(topic: "a", message: "x", qos: 1) == -1)
    #expect(client.subscribe(topic: "a") == -1)
  }

  @Test("Several clients a process: one's close is not the other's")
  func severalClients() async throws {
    let first = try await connected(options)
    let other = Notes()
    var options = options
    options.success = { other.add("success") }
    let second = try #require(mqtt.createClient(options))
    try await other.wait(for: "success")
    #expect(first.close() == 0)
    try await notes.wait(for: "close")
    second.on(.message) { topic, _ in other.add(topic) }
    #expect(second.subscribe(topic: "x", success: { other.add("subscribed") }) == 0)
    try await other.wait(for: "subscribed")
    #expect(second.publish(topic: "x", message: "1") == 0)
    try await other.wait(for: "x")
  }

  @Test("Extras: retain, will, protocolVersion")
  func extras() async throws {
    var lost = options
    lost.protocolVersion = 4
    lost.will = MQTTWill(topic: "will", payload: [1], qos: .atLeastOnce, retain: true)
    let client = try await connected(lost)
    let notes = notes
    #expect(
      client.publish(topic: "kept", message: "1", qos: 1, retain: true, success: { notes.add("kept") }) == 0)
    try await notes.wait(for: "kept")
    let late = try await MQTTAsyncClient.connect(broker.url)
    let messages = try await late.messages("kept", "will")
    let first = await messages.first { _ in true }
    #expect(first?.retain == true)
    #expect(client.close() == 0)
  }
}
