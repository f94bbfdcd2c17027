import MQTTAsync
import TestBroker
import Testing

@Suite(.serialized, .timeLimit(.minutes(5)))
struct ClientTests {
  let broker: TestBroker

  init() throws {
    broker = try TestBroker()
  }

  @Test(
    "What is published comes to a subscriber, in order, at every QoS",
    arguments: [MQTTVersion.v5, .v3_1_1], [MQTTQoS.atMostOnce, .atLeastOnce, .exactlyOnce])
  func whatIsPublishedComesToASubscriber(_ version: MQTTVersion, _ qos: MQTTQoS)
    async throws
  {
    let client = try await MQTTAsyncClient.connect(broker.url, options: options(version))
    #expect(client.state == .connected(version, sessionPresent: false))
    let messages = try await client.messages("greenhouse/+/state", qos: qos)
    for number in 1...200 { try await client.publish("greenhouse/fan/state", "\(number)", qos: qos) }
    #expect(await take(200, from: messages) == (1...200).map(String.init))
    await client.disconnect()
    #expect(client.state == .closed)
  }

  @Test("The properties of a message arrive with it, and its bytes as they are")
  func thePropertiesOfAMessageArriveWith() async throws {
    let client = try await MQTTAsyncClient.connect(broker.url, options: options())
    let messages = try await client.messages("a", qos: .atLeastOnce)
    var properties = MQTTMessageProperties()
    properties.contentType = "text/plain"
    properties.isUTF8 = false
    properties.expiry = 60
    properties.responseTopic = "b"
    properties.correlationData = [0, 255]
    properties.userProperties = [.init(name: "n", value: "1"), .init(name: "n", value: "2")]
    let payload = (0...255).map { UInt8($0) }
    try await client.publish("a", payload, qos: .atLeastOnce, properties: properties)
    let message = await messages.first { _ in true }
    #expect(message?.payload == payload)
    #expect(message?.text == nil)
    var received = message?.properties
    #expect(received?.subscriptionIdentifiers == [1])
    received = received.map { value in
      var value = value
      value.expiry = 60
      return value
    }
    #expect(received?.userProperties == properties.userProperties)
    #expect(received?.correlationData == [0, 255])
    #expect(received?.contentType == "text/plain")
    #expect(received?.responseTopic == "b")
    #expect(received?.isUTF8 == false)
  }

  @Test("Filters that overlap do not multiply messages") func filtersThatOverlapDoNotMultiplyMessages()
    async throws
  {
    let client = try await MQTTAsyncClient.connect(broker.url, options: options())
    let all = try await client.messages("a/#", qos: .atLeastOnce)
    let one = try await client.messages("a/b", qos: .atLeastOnce)
    for number in 1...3 { try await client.publish("a/b", "\(number)", qos: .atLeastOnce) }
    #expect(await take(3, from: all) == ["1", "2", "3"])
    #expect(await take(3, from: one) == ["1", "2", "3"])
  }

  @Test("A connection that is lost is made again, subscriptions with it, and messages wait for it")
  func aConnectionThatIsLostIsMade() async throws {
    let client = try await MQTTAsyncClient.connect(broker.url, options: options())
    let messages = try await client.messages("a", qos: .atLeastOnce)
    var states = client.states.makeAsyncIterator()
    _ = await states.next()
    broker.kill()
    guard case .disconnected = await states.next() else { return #expect(Bool(false), "still connected") }
    #expect(await error { () throws(MQTTAsyncError) in try await client.publish("a", "0") } == .notConnected)
    async let late: Void = client.publish("a", "1", qos: .atLeastOnce)
    try broker.start()
    try await late
    while let state = await states.next(), !state.isConnected {}
    try await client.publish("a", "2", qos: .atLeastOnce)
    #expect(await messages.first { $0.text == "2" }?.text == "2")
  }

  @Test func `a server that talks of certificates is not asked for`() {
    let words = "\(MQTTAsyncError.unreachable("h:8883: TLS: tlsv13 alert certificate required"))"
    #expect(words == "h:8883: TLS: tlsv13 alert certificate required")
  }

  @Test("A server that is not there is an error that says where and what") func aServerThatIsNotThereIs()
    async throws
  {
    broker.kill()
    let error = await error { () throws(MQTTAsyncError) in
      _ = try await MQTTAsyncClient.connect(broker.url, options: options())
    }
    #expect(error == .unreachable("127.0.0.1:\(broker.port): Connection refused"))
    #expect("\(try #require(error))".contains("is the server running"))
  }

  @Test("Connecting goes on as long as it shall, until the server is there") func connectingGoesOnAsLongAsIt()
    async throws
  {
    broker.kill()
    async let client = MQTTAsyncClient.connect(broker.url, options: options(), retryingFor: .seconds(120))
    // Some attempts fail meanwhile; no test depends on how many.
    try await Task.sleep(for: .milliseconds(200))
    try broker.start()
    #expect(try await client.state.isConnected)
  }

  @Test("A wrong password is told at once, however long connecting may take")
  func aWrongPasswordIsToldAtOnce() async throws {
    let broker = try TestBroker(settings: "allow_anonymous false")
    let error = await error { () throws(MQTTAsyncError) in
      _ = try await MQTTAsyncClient.connect(broker.url, options: options(), retryingFor: .seconds(60))
    }
    #expect(error == .refused(.notAuthorized, nil))
    #expect("\(try #require(error))".contains("check user name, password"))
  }

  @Test("A filter that is none is refused with its name") func aFilterThatIsNoneIsRefused() async throws {
    let client = try await MQTTAsyncClient.connect(broker.url, options: options())
    let error = await error { () throws(MQTTAsyncError) in _ = try await client.messages("a/#/b") }
    #expect("\(try #require(error))".contains("'a/#/b' is no topic filter"))
  }

  @Test("A subscription that the server refuses says which and why")
  func aSubscriptionThatTheServerRefusesSays() async throws {
    let broker = try TestBroker(settings: "allow_anonymous true\nmax_topic_alias 0\nmax_qos 2")
    let client = try await MQTTAsyncClient.connect(broker.url, options: options())
    let error = await error { () throws(MQTTAsyncError) in
      _ = try await client.messages("$share//a")
    }
    #expect("\(try #require(error))".contains("$share//a"))
  }

  @Test("After disconnect every call says that the client is closed, and streams end")
  func afterDisconnectEveryCallSaysThatThe() async throws {
    let client = try await MQTTAsyncClient.connect(broker.url, options: options())
    let messages = try await client.messages("a")
    await client.disconnect()
    #expect(await error { () throws(MQTTAsyncError) in try await client.publish("a", "") } == .closed)
    #expect(await error { () throws(MQTTAsyncError) in _ = try await client.messages("b") } == .closed)
    #expect(await take(1, from: messages) == [])
    #expect(messages.failure == nil)
    await client.disconnect()
  }

  @Test("A request gets its own response") func aRequestGetsItsOwnResponse() async throws {
    let server = try await MQTTAsyncClient.connect(broker.url, options: options())
    let client = try await MQTTAsyncClient.connect(broker.url, options: options())
    let requests = try await server.messages("double", qos: .atLeastOnce)
    let service = Task {
      for await request in requests {
        var properties = MQTTMessageProperties()
        properties.correlationData = request.properties.correlationData
        let text = request.text ?? ""
        try await server.publish(request.properties.responseTopic ?? "", text + text, properties: properties)
      }
    }
    async let first = client.request("double", Array("ab".utf8))
    async let second = client.request("double", Array("cd".utf8))
    #expect(try await first.text == "abab")
    #expect(try await second.text == "cdcd")
    service.cancel()
    let error = await error { () throws(MQTTAsyncError) in
      _ = try await client.request("nobody", [], timeout: .milliseconds(100))
    }
    #expect(error == .timedOut)
  }

  @Test("Requests need 5.0 and say so") func requestsNeed50AndSaySo() async throws {
    let client = try await MQTTAsyncClient.connect(broker.url, options: options(.v3_1_1))
    let error = await error { () throws(MQTTAsyncError) in _ = try await client.request("a", []) }
    #expect(error == .needsMQTT5)
  }
}
