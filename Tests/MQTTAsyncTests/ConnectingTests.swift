import MQTTAsync
import TestBroker
import Testing

@Suite(.serialized, .timeLimit(.minutes(5)))
struct ConnectingTests {
  @Test("disconnect ends a client for good, whatever wants a connection at the same time", arguments: 0..<20)
  func disconnectWins(_ round: Int) async throws {
    let broker = try TestBroker()
    let client = try MQTTAsyncClient(broker.url, options: options())
    if round % 2 == 0 { try await client.connect() }
    let goodbye = Task { await client.disconnect() }
    let others = (0..<10).map { _ in
      Task { await error { () async throws(MQTTAsyncError) in try await client.connect() } }
    }
    for _ in 0..<100 { client.start() }
    await goodbye.value
    for other in others { _ = await other.value }
    #expect(client.state == .closed)
  }

  @Test("A call of connect that is cancelled at once does not stand in the way of the next one")
  func cancelledAtOnce() async throws {
    let broker = try TestBroker()
    let client = try MQTTAsyncClient(broker.url, options: options())
    for _ in 0..<50 {
      let call = Task { await error { () throws(MQTTAsyncError) in try await client.connect() } }
      await Task.yield()
      call.cancel()
      _ = await call.value
    }
    try await client.connect()
    await client.disconnect()
    let other = try MQTTAsyncClient(broker.url, options: options())
    other.start()
    await other.disconnect()
  }

  @Test("A client that has begun to connect goes on when a call of connect fails or is cancelled")
  func connectFailsInBetween() async throws {
    let broker = try TestBroker()
    let started = try MQTTAsyncClient(broker.url, options: options())
    let connected = try await MQTTAsyncClient.connect(broker.url, options: options())
    broker.kill()
    started.start()
    while connected.state.isConnected { try await Task.sleep(for: .milliseconds(5)) }
    for client in [started, connected] {
      let failure = await error { () throws(MQTTAsyncError) in try await client.connect() }
      guard case .unreachable = failure else {
        Issue.record("a server that is not there")
        return
      }
      let waiting = Task {
        await error { () throws(MQTTAsyncError) in try await client.connect(retryingFor: .seconds(60)) }
      }
      try await Task.sleep(for: .milliseconds(50))
      waiting.cancel()
      #expect(await waiting.value == .cancelled)
    }
    try broker.start()
    try await started.publish("a", "1", qos: .atLeastOnce)
    try await connected.publish("a", "2", qos: .atLeastOnce)
  }

  @Test("disconnect says goodbye in a task that is cancelled, too")
  func disconnectWhenCancelled() async throws {
    let broker = try TestBroker()
    let client = try await MQTTAsyncClient.connect(broker.url, options: options())
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      await client.disconnect()
      return client.state
    }
    task.cancel()
    #expect(await task.value == .closed)
  }

  @Test("A request ends in time, whatever the server does") func requestEnds() async throws {
    let broker = try TestBroker()
    let client = try await MQTTAsyncClient.connect(broker.url, options: options())
    broker.pause()
    defer { broker.resume() }
    let error = await error { () throws(MQTTAsyncError) in
      _ = try await client.request("a", [], timeout: .milliseconds(100))
    }
    #expect(error == .timedOut)
  }

  @Test("A password in the options counts, whether the URL has a user name or nobody has one")
  func passwordOfTheOptions() async throws {
    let broker = try TestBroker()
    var options = options(.v3_1_1)
    options.password = Array("secret".utf8)
    // Would be taken if the password were forgotten.
    #expect(throws: MQTTAsyncError.invalidOptions(.passwordWithoutUsername)) {
      try MQTTAsyncClient(broker.url, options: options)
    }
    let url = broker.url.replacing("mqtt://", with: "mqtt://me@")
    let client = try await MQTTAsyncClient.connect(url, options: options)
    await client.disconnect()
  }
}
