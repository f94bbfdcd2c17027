import Foundation
import MQTTAsync
import TestBroker
import Testing

/// A directory for the file of an outbox.
private final class Place {
  let directory = FileManager.default.temporaryDirectory.appending(path: "swiftlet-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  deinit {
    do { try FileManager.default.removeItem(at: directory) } catch {}
  }

  var path: String { directory.appending(path: "outbox.db").path }
  func outbox(capacity: Int = 1 << 20) -> MQTTOutbox { MQTTOutbox(path: path, capacity: capacity) }
}

@Suite(.serialized, .timeLimit(.minutes(5)))
struct OutboxTests {
  private let place: Place

  init() throws {
    place = try Place()
  }

  /// A broker that is not there yet.
  private func absentBroker(settings: String = "allow_anonymous true") throws -> TestBroker {
    let broker = try TestBroker(settings: settings)
    broker.kill()
    return broker
  }

  @Test("What the outbox keeps goes out with the next client, in order and once")
  func whatTheOutboxKeepsGoesOut() async throws {
    let broker = try absentBroker()
    let first = try MQTTAsyncClient(broker.url, options: options(), outbox: place.outbox())
    first.start()
    for number in 1...20 {
      try await first.publish("a", "\(number)", qos: .atLeastOnce, durability: .disk)
    }
    #expect(await first.unsettled == 20)
    await first.disconnect()

    try broker.start()
    let watcher = try await MQTTAsyncClient.connect(broker.url, options: options())
    let messages = try await watcher.messages("a", "end", qos: .atLeastOnce)
    // Its file is free as soon as `disconnect` has returned.
    for _ in 1...2 {
      let next = try MQTTAsyncClient(broker.url, options: options(), outbox: place.outbox())
      try await next.connect()
      try await next.flush()
      #expect(await next.unsettled == 0)
      await next.disconnect()
    }
    try await watcher.publish("end", "end", qos: .atLeastOnce)
    #expect(await take(21, from: messages) == (1...20).map(String.init) + ["end"])
  }

  @Test("QoS 2 stays exactly once over clients whose broker dies at any time, with a session that is kept")
  func exactlyOnce() async throws {
    let broker = try TestBroker(keeps: true)
    let watcher = try await MQTTAsyncClient.connect(broker.url, options: kept("watcher"))
    let messages = try await watcher.messages("a", qos: .exactlyOnce, buffer: 1000)
    for round in 0..<5 {
      let client = try MQTTAsyncClient(broker.url, options: kept("me"), outbox: place.outbox())
      client.start()
      for number in 1...20 {
        try await client.publish("a", "\(round * 20 + number)", qos: .exactlyOnce, durability: .disk)
        if number == 5 + round { broker.stop() }
      }
      await client.disconnect()
      try broker.start()
    }
    let last = try MQTTAsyncClient(broker.url, options: kept("me"), outbox: place.outbox())
    try await last.connect()
    try await last.flush()
    try await last.publish("a", "end", qos: .exactlyOnce)
    #expect(await take(101, from: messages) == (1...100).map(String.init) + ["end"])
  }

  @Test("Rules decide by topic, and a call decides for itself") func rules() async throws {
    let broker = try absentBroker()
    var options = options()
    options.durability = [MQTTDurabilityRule(filter: "disk/#", durability: .disk)]
    let client = try MQTTAsyncClient(broker.url, options: options, outbox: place.outbox())
    client.start()
    // Those that are kept on disk return without a server, and no others.
    try await client.publish("disk/a", "1", qos: .atLeastOnce)
    try await client.publish("memory", "2", qos: .exactlyOnce, durability: .disk)
    let isDone = Flag()
    let waiting = Task {
      try await client.publish("disk/b", "3", qos: .atLeastOnce, durability: .memory)
      isDone.raise()
    }
    while await client.unsettled < 3 { await Task.yield() }
    #expect(!isDone.isRaised)
    #expect(
      await error { () async throws(MQTTAsyncError) in try await client.publish("disk/a", "4") }
        == .notConnected)
    try broker.start()
    try await waiting.value
    try await client.flush()
  }

  @Test("Without an outbox nothing can be kept on disk, and the error says what to do") func withoutOutbox()
    async throws
  {
    let broker = try absentBroker()
    let client = try MQTTAsyncClient(broker.url, options: options())
    let error = await error { () async throws(MQTTAsyncError) in
      try await client.publish("a", "1", qos: .atLeastOnce, durability: .disk)
    }
    #expect(error?.description.contains("outbox: MQTTOutbox(path: …)") == true)
  }

  @Test("flush says that there is no connection, and what became of messages that the server refused")
  func flushFails() async throws {
    let acl = place.directory.appending(path: "acl").path
    try "topic readwrite allowed\n".write(toFile: acl, atomically: true, encoding: .utf8)
    let broker = try absentBroker(settings: "allow_anonymous true\nacl_file \(acl)")
    let client = try MQTTAsyncClient(broker.url, options: options(), outbox: place.outbox())
    try await client.publish("forbidden", "1", qos: .atLeastOnce, durability: .disk)
    try await client.publish("allowed", "2", qos: .atLeastOnce, durability: .disk)
    #expect(await error(client.flush) == .notConnected)
    client.start()
    guard case .unreachable = await error(client.flush) else {
      Issue.record("a server that is not there")
      return
    }
    try broker.start()
    while !client.state.isConnected { try await Task.sleep(for: .milliseconds(5)) }
    guard case .publishFailed(.refused(.notAuthorized), _) = await error(client.flush) else {
      Issue.record("a message that may not be published")
      return
    }
    try await client.flush()
    #expect(await client.unsettled == 0)
  }

  @Test("A full outbox has calls wait, and loses nothing") func fullOutbox() async throws {
    let broker = try absentBroker()
    let client = try MQTTAsyncClient(broker.url, options: options(), outbox: place.outbox(capacity: 4096))
    client.start()
    let isDone = Flag()
    let publisher = Task {
      for number in 1...100 {
        let text = String(repeating: "0", count: 100) + "\(number)"
        try await client.publish("a", text, qos: .atLeastOnce, durability: .disk)
      }
      isDone.raise()
    }
    // Some fit.
    while await client.unsettled < 10 { await Task.yield() }
    var (before, now) = (0, await client.unsettled)
    while before != now {
      try await Task.sleep(for: .milliseconds(100))
      (before, now) = (now, await client.unsettled)
    }
    #expect(!isDone.isRaised)
    #expect(now < 50)
    try broker.start()
    let watcher = try await MQTTAsyncClient.connect(broker.url, options: options())
    try await publisher.value
    try await client.flush()
    await watcher.disconnect()
    #expect(await client.unsettled == 0)
  }

  @Test("A message that is larger than the outbox is an error, and those behind it go on")
  func tooLarge() async throws {
    let broker = try TestBroker()
    let outbox = place.outbox(capacity: 4096)
    let client = try await MQTTAsyncClient.connect(broker.url, options: options(), outbox: outbox)
    for size in [4090, 5000, 100_000] {
      let error = await error { () async throws(MQTTAsyncError) in
        let payload = [UInt8](repeating: 1, count: size)
        try await client.publish("a", payload, qos: .atLeastOnce, durability: .disk)
      }
      #expect(error?.description.contains("larger capacity") == true)
    }
    try await client.publish("a", "1", qos: .atLeastOnce, durability: .disk)
    try await client.flush()
  }

  @Test("A file that another client has, a missing directory and a damaged file are told") func files()
    async throws
  {
    let broker = try absentBroker()
    let first = try MQTTAsyncClient(broker.url, options: options(), outbox: place.outbox())
    #expect(throws: MQTTAsyncError.outbox("\(place.path): another program has it open")) {
      try MQTTAsyncClient(broker.url, options: options(), outbox: place.outbox())
    }
    await first.disconnect()
    let missing = MQTTOutbox(path: place.directory.appending(path: "no/outbox.db").path)
    let error = #expect(throws: MQTTAsyncError.self) {
      try MQTTAsyncClient(broker.url, options: options(), outbox: missing)
    }
    #expect(error?.description.contains("is there such a directory") == true)
    let damaged = Data("SQLite format 3".utf8) + Data(repeating: 0, count: 5000)
    try damaged.write(to: URL(fileURLWithPath: place.path))
    let third = try MQTTAsyncClient(broker.url, options: options(), outbox: place.outbox())
    #expect(third.outboxDamage != nil)
    #expect(FileManager.default.fileExists(atPath: place.path + ".damaged"))
    try await third.publish("a", "1", qos: .atLeastOnce, durability: .disk)
    #expect(await third.unsettled == 1)
  }
}
