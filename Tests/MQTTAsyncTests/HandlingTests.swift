import MQTTAsync
import TestBroker
import Testing

/// A message of QoS 1 or 2 is acknowledged when it has been handled.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct HandlingTests {
  let broker: TestBroker
  let publisher: MQTTAsyncClient

  init() async throws {
    broker = try TestBroker(settings: "allow_anonymous true\nmax_queued_messages 0")
    publisher = try await MQTTAsyncClient.connect(broker.url, options: options())
  }

  private func publish(_ topic: String, _ numbers: ClosedRange<Int>, qos: MQTTQoS = .atLeastOnce) async throws
  {
    for number in numbers { try await publisher.publish(topic, "\(number)", qos: qos) }
  }

  @Test(
    "What a loop is in the middle of, and what waits for it, comes to the session's next client",
    arguments: [MQTTVersion.v5, .v3_1_1], [MQTTQoS.atLeastOnce, .exactlyOnce])
  func takenOver(_ version: MQTTVersion, _ qos: MQTTQoS) async throws {
    var first = kept("session", version)
    first.backoffMinimum = 60_000
    first.backoffMaximum = 60_000
    let dying = try await MQTTAsyncClient.connect(broker.url, options: first)
    let messages = try await dying.messages("a", qos: qos)
    try await publish("a", 1...10, qos: qos)
    var loop = messages.makeAsyncIterator()
    for _ in 1...3 { _ = await loop.next() }
    // The acknowledgements of the first two are on their way; the publisher's answer comes behind them.
    try await dying.publish("b", "", qos: .exactlyOnce)
    let client = try MQTTAsyncClient(broker.url, options: kept("session", version))
    let rest = client.unclaimedMessages()
    try await client.connect()
    #expect(await take(8, from: rest) == (3...10).map(String.init))
    #expect(await loop.next()?.text == "4")
  }

  @Test(
    "A connection that is lost while messages wait multiplies none of them",
    arguments: [MQTTVersion.v5, .v3_1_1])
  func reconnected(_ version: MQTTVersion) async throws {
    let broker = try TestBroker(keeps: true)
    let client = try await MQTTAsyncClient.connect(broker.url, options: kept("session", version))
    let messages = try await client.messages("a", qos: .exactlyOnce)
    for number in 1...8 {
      try await client.publish("a", "\(number)", qos: number.isMultiple(of: 2) ? .exactlyOnce : .atLeastOnce)
    }
    var states = client.states.makeAsyncIterator()
    _ = await states.next()
    var loop = messages.makeAsyncIterator()
    var seen: [String?] = []
    for _ in 1...3 { seen.append(await loop.next()?.text) }
    broker.stop()
    while let state = await states.next(), state.isConnected {}
    // Handled without a connection.
    for _ in 4...5 { seen.append(await loop.next()?.text) }
    try broker.start()
    while let state = await states.next(), state != .connected(version, sessionPresent: true) {}
    try await client.publish("a", "end", qos: .exactlyOnce)
    for _ in 6...9 { seen.append(await loop.next()?.text) }
    #expect(seen == (1...8).map(String.init) + ["end"])
  }

  @Test("The server sends no more ahead than the receive maximum")
  func bounded() async throws {
    var small = options()
    small.receiveMaximum = 5
    let client = try await MQTTAsyncClient.connect(broker.url, options: small)
    let slow = try await client.messages("a", qos: .atLeastOnce)
    let other = try await client.messages("b", qos: .atLeastOnce)
    try await publish("a", 1...5)
    try await publish("b", 1...1)
    let flag = Flag()
    let taker = Task {
      let texts = await take(1, from: other)
      flag.raise()
      return texts
    }
    // Whatever the server has sent meanwhile comes before its answer.
    for _ in 1...3 { try await client.publish("c", "", qos: .exactlyOnce) }
    #expect(!flag.isRaised)
    #expect(await take(1, from: slow) == ["1"])
    #expect(await taker.value == ["1"])
  }

  @Test("A loop that publishes for each message is not in its own way, however few may come ahead")
  func publishing() async throws {
    var small = options()
    small.receiveMaximum = 1
    let client = try await MQTTAsyncClient.connect(broker.url, options: small)
    let messages = try await client.messages("a", qos: .exactlyOnce, buffer: 1)
    try await publish("a", 1...50, qos: .exactlyOnce)
    var count = 0
    for await message in messages {
      try await client.publish("b", message.payload, qos: .exactlyOnce)
      count += 1
      if count == 50 { break }
    }
    #expect(count == 50)
  }

  @Test("A request in a loop gets its response, however many messages wait for the loop")
  func requesting() async throws {
    var small = options()
    small.receiveMaximum = 2
    let client = try await MQTTAsyncClient.connect(broker.url, options: small)
    let messages = try await client.messages("a", qos: .atLeastOnce)
    let requests = try await publisher.messages("double", qos: .atLeastOnce)
    let service = Task {
      for await request in requests {
        var properties = MQTTMessageProperties()
        properties.correlationData = request.properties.correlationData
        try await publisher.publish(
          request.properties.responseTopic ?? "", request.payload, qos: .atLeastOnce, properties: properties)
      }
    }
    try await publish("a", 1...10)
    for await message in messages {
      #expect(try await client.request("double", message.payload).payload == message.payload)
      if message.text == "10" { break }
    }
    service.cancel()
  }

  @Test("What waits in a stream that is let go does not stand in the way of others")
  func letGo() async throws {
    var small = options()
    small.receiveMaximum = 5
    let client = try await MQTTAsyncClient.connect(broker.url, options: small)
    var gone: MQTTMessages? = try await client.messages("a", qos: .atLeastOnce)
    let other = try await client.messages("b", qos: .atLeastOnce)
    try await publish("a", 1...20)
    try await publish("b", 1...1)
    #expect(gone?.dropped == 0)
    gone = nil
    #expect(await take(1, from: other) == ["1"])
  }

  @Test("What nobody took of a subscription that is kept comes to the session's next client")
  func keptSubscription() async throws {
    let first = try await MQTTAsyncClient.connect(broker.url, options: kept("session"))
    let messages = try first.subscribe(
      ["a"], options: MQTTSubscribeOptions(qos: .atLeastOnce), unsubscribesAtEnd: false)
    try await messages.subscribed()
    try await publish("a", 1...5)
    #expect(await take(2, from: messages) == ["1", "2"])
    await first.disconnect()
    let second = try MQTTAsyncClient(broker.url, options: kept("session"))
    let rest = second.unclaimedMessages()
    try await second.connect()
    #expect(await take(3, from: rest) == ["3", "4", "5"])
  }
}
