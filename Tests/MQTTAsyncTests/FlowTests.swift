import MQTTAsync
import TestBroker
import Testing

@Suite(.serialized, .timeLimit(.minutes(5)))
struct FlowTests {
  let broker: TestBroker

  init() throws {
    broker = try TestBroker(settings: "allow_anonymous true\nmax_queued_messages 0")
  }

  @Test("A stream that nobody reads makes the server wait, and loses nothing")
  func aStreamThatNobodyReadsMakesThe() async throws {
    var small = options()
    small.receiveCapacity = 4096
    small.keepAlive = 4
    let client = try await MQTTAsyncClient.connect(broker.url, options: small)
    let publisher = try await MQTTAsyncClient.connect(broker.url, options: options())
    let messages = try await client.messages("a", qos: .atLeastOnce, buffer: 4)
    for number in 1...500 { try await publisher.publish("a", "\(number)", qos: .atLeastOnce) }
    // Longer than one and a half times the keep alive: a server that has to wait for us is not dead.
    try await Task.sleep(for: .seconds(7))
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
    let hasOne = Flag()
    let task = Task {
      var count = 0
      for await _ in messages {
        count += 1
        hasOne.raise()
      }
      return count
    }
    try await client.publish("a", "1", qos: .atLeastOnce)
    try await hasOne.wait()
    task.cancel()
    #expect(await task.value == 1)
    let rest = client.unclaimedMessages()
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
    while await client.unsettled == 0 { await Task.yield() }
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
