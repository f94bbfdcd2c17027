import MQTTAsync
import TestBroker
import Testing

/// Options with short waits, so that tests of reconnections do not.
private func options(_ version: MQTTVersion = .v5) -> MQTTClientOptions {
  var options = MQTTAsyncClient.defaultOptions
  options.version = version
  options.backoffMinimum = 20
  options.backoffMaximum = 100
  return options
}

private func take(_ count: Int, from messages: MQTTMessages) async -> [String] {
  var texts: [String] = []
  guard count > 0 else { return texts }
  for await message in messages {
    texts.append(message.text ?? "?")
    if texts.count == count { break }
  }
  return texts
}

private func error(_ body: () async throws(MQTTAsyncError) -> Void) async -> MQTTAsyncError? {
  do throws(MQTTAsyncError) {
    try await body()
    return nil
  } catch {
    return error
  }
}

@Suite(.serialized, .timeLimit(.minutes(1)))
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
    async let client = MQTTAsyncClient.connect(broker.url, options: options(), retryingFor: .seconds(20))
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

@Suite(.serialized, .timeLimit(.minutes(1)))
struct FlowTests {
  let broker: TestBroker

  init() throws {
    broker = try TestBroker(settings: "allow_anonymous true\nmax_queued_messages 0")
  }

  @Test("A stream that nobody reads makes the server wait, and loses nothing")
  func aStreamThatNobodyReadsMakesThe() async throws {
    var small = options()
    small.receiveCapacity = 4096
    small.keepAlive = 2
    let client = try await MQTTAsyncClient.connect(broker.url, options: small)
    let publisher = try await MQTTAsyncClient.connect(broker.url, options: options())
    let messages = try await client.messages("a", qos: .atLeastOnce, buffer: 4)
    for number in 1...500 { try await publisher.publish("a", "\(number)", qos: .atLeastOnce) }
    // Longer than the keep alive: a server that has to wait for us is not dead.
    try await Task.sleep(for: .seconds(4))
    #expect(client.state.isConnected)
    #expect(await take(500, from: messages) == (1...500).map(String.init))
    #expect(messages.dropped == 0)
  }

  @Test("A loop that publishes for each message does not stand in its own way")
  func aLoopThatPublishesForEachMessage() async throws {
    let client = try await MQTTAsyncClient.connect(broker.url, options: options())
    let publisher = try await MQTTAsyncClient.connect(broker.url, options: options())
    let messages = try await client.messages("a", qos: .atLeastOnce, buffer: 2)
    for number in 1...100 { try await publisher.publish("a", "\(number)", qos: .atLeastOnce) }
    var count = 0
    for await message in messages {
      try await client.publish("b", message.payload, qos: .exactlyOnce)
      count += 1
      if count == 100 { break }
    }
    #expect(count == 100)
  }

  @Test("A stream that shall drop drops, and counts") func aStreamThatShallDropDropsAnd() async throws {
    let client = try await MQTTAsyncClient.connect(broker.url, options: options())
    let oldest = try await client.messages("a", qos: .atLeastOnce, buffer: 10, overflow: .dropOldest)
    let newest = try await client.messages("a", qos: .atLeastOnce, buffer: 10, overflow: .dropNewest)
    for number in 1...100 { try await client.publish("a", "\(number)", qos: .atLeastOnce) }
    // Messages come after the acknowledgements of those before them.
    while oldest.dropped < 90 || newest.dropped < 90 {
      try await Task.sleep(for: .milliseconds(5))
    }
    #expect(await take(10, from: oldest) == (91...100).map(String.init))
    #expect(await take(10, from: newest) == (1...10).map(String.init))
  }

  @Test("A cancelled loop ends, and the server is told to unsubscribe") func aCancelledLoopEndsAndTheServer()
    async throws
  {
    let client = try await MQTTAsyncClient.connect(broker.url, options: options())
    let messages = try await client.messages("a", qos: .atLeastOnce)
    let task = Task {
      var count = 0
      for await _ in messages { count += 1 }
      return count
    }
    try await client.publish("a", "1", qos: .atLeastOnce)
    try await Task.sleep(for: .milliseconds(50))
    task.cancel()
    #expect(await task.value == 1)
    let rest = client.unclaimedMessages()
    try await Task.sleep(for: .milliseconds(50))
    try await client.publish("a", "2", qos: .atLeastOnce)
    let later = try await client.messages("end", qos: .atLeastOnce)
    try await client.publish("end", "", qos: .atLeastOnce)
    _ = await take(1, from: later)
    rest.unsubscribe()
    #expect(await take(1, from: rest) == [])
  }

  @Test("A publish that is cancelled ends at once, whatever the server does")
  func aPublishThatIsCancelledEndsAt() async throws {
    let client = try await MQTTAsyncClient.connect(broker.url, options: options())
    broker.pause()
    defer { broker.resume() }
    let task = Task {
      await error { () throws(MQTTAsyncError) in try await client.publish("a", "1", qos: .atLeastOnce) }
    }
    try await Task.sleep(for: .milliseconds(50))
    task.cancel()
    #expect(await task.value == .cancelled)
    let cancelled = Task {
      while !Task.isCancelled { await Task.yield() }
      return await error { () throws(MQTTAsyncError) in try await client.publish("a", "1") }
    }
    cancelled.cancel()
    #expect(await cancelled.value == .cancelled)
  }

  @Test("Many tasks share a client") func manyTasksShareAClient() async throws {
    let client = try await MQTTAsyncClient.connect(broker.url, options: options())
    let messages = try await client.messages("n/#", qos: .exactlyOnce, buffer: 16)
    await withTaskGroup(of: MQTTAsyncError?.self) { group in
      for task in 0..<20 {
        group.addTask {
          await error { () throws(MQTTAsyncError) in
            for number in 0..<20 {
              try await client.publish("n/\(task)", "\(number)", qos: .exactlyOnce)
            }
          }
        }
      }
      group.addTask {
        #expect(Set(await take(400, from: messages)).count == 20)
        return nil
      }
      for await failure in group { #expect(failure == nil) }
    }
  }

  @Test("Messages of a session that the server kept come to whoever asked before connecting")
  func messagesOfASessionThatTheServer() async throws {
    var kept = options()
    kept.clientID = "keeper"
    kept.cleanSession = false
    var client: MQTTAsyncClient? = try await MQTTAsyncClient.connect(broker.url, options: kept)
    var messages = try await client?.messages("a", qos: .atLeastOnce)
    await client?.disconnect()
    (client, messages) = (nil, nil)
    try broker.publish("-t", "a", "-m", "kept", "-q", "1")
    client = try MQTTAsyncClient(broker.url, options: kept)
    let rest = try #require(client?.unclaimedMessages())
    try await client?.connect()
    #expect(await take(1, from: rest) == ["kept"])
    #expect(messages == nil)
  }

  @Test("Messages longer than the buffer are counted, and the next one comes")
  func messagesLongerThanTheBufferAreCounted() async throws {
    var small = options()
    small.receiveCapacity = 4096
    let client = try await MQTTAsyncClient.connect(broker.url, options: small)
    let messages = try await client.messages("a", qos: .atLeastOnce)
    try await client.publish("a", [UInt8](repeating: 1, count: 100_000), qos: .atLeastOnce)
    try await client.publish("a", "short", qos: .atLeastOnce)
    #expect(await take(1, from: messages) == ["short"])
    #expect(messages.oversized == 1)
  }
}
