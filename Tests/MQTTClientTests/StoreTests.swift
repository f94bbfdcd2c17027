import Loopback
import MQTTClient
import Testing

@Suite("What outlives the process, and what goes when there is no room")
struct StoreTests {
  private let payload = [UInt8](repeating: 7, count: 100)

  private func client(
    _ store: StoreInMemory, _ adjust: (inout MQTTClientOptions) -> Void = { _ in }
  ) throws -> Harness {
    try Harness(store: store) {
      $0.version = .v3_1_1
      $0.cleanSession = false
      $0.outboxCapacity = 512
      adjust(&$0)
    }
  }

  private func keep(_ harness: Harness, _ topic: String, _ durability: MQTTDurability = .disk) throws
    -> UInt16
  {
    let topic = Array(topic.utf8)
    return try harness.client.publish(
      topic: topic.span, payload: payload.span, qos: .atLeastOnce, durability: durability)
  }

  /// The topics that a server gets that is reachable from now on, in order.
  private func arrivals(_ harness: Harness) -> [String] {
    let link = Link(harness)
    harness.client.start(now: harness.now)
    link.settle()
    #expect(link.server.faults.isEmpty)
    return link.server.published.map(\.topic)
  }

  @Test("Messages beyond the outbox wait in the store and are sent in order")
  func overflow() throws {
    let store = StoreInMemory()
    let harness = try client(store)
    var packetIDs: [UInt16] = []
    for number in 1...40 { packetIDs.append(try keep(harness, "t\(number)")) }
    #expect(packetIDs[..<4] == [1, 2, 3, 4] && packetIDs[4...].allSatisfy { $0 == 0 })
    #expect(harness.client.storedBacklog == 36)
    #expect(arrivals(harness) == (1...40).map { "t\($0)" })
    #expect(harness.client.storedBacklog == 0 && store.records.values.allSatisfy { $0.count <= 8 })
  }

  @Test("Messages that wait in the store for room that those in memory take are sent when these are settled")
  func behindMemory() throws {
    let harness = try client(StoreInMemory())
    for number in 1...4 { _ = try keep(harness, "memory\(number)", .memory) }
    for number in 1...2 { _ = try keep(harness, "disk\(number)") }
    #expect(harness.client.storedBacklog == 2)
    #expect(arrivals(harness) == (1...4).map { "memory\($0)" } + ["disk1", "disk2"])
  }

  @Test("They are sent when those in memory have expired, too")
  func behindExpired() throws {
    let harness = try client(StoreInMemory()) { $0.version = .v5 }
    let expiry = number(.messageExpiryInterval, 1)
    for _ in 1...4 {
      try harness.client.publish(
        topic: "memory".utf8.span, payload: payload.span, qos: .atLeastOnce, properties: expiry.span,
        durability: .memory)
    }
    _ = try keep(harness, "disk")
    harness.client.advance(to: harness.now)
    harness.now += 3_000
    #expect(arrivals(harness) == ["disk"])
  }

  @Test("Another process sends what the first one kept, in order, once each")
  func anotherProcess() throws {
    let store = StoreInMemory()
    let first = try client(store)
    for number in 1...10 { _ = try keep(first, "t\(number)") }
    #expect(try first.client.commit())
    _ = try keep(first, "not committed")
    let second = try client(StoreInMemory(store.committed)) { $0.outboxCapacity = 4096 }
    _ = try keep(second, "new")
    #expect(arrivals(second) == (1...10).map { "t\($0)" } + ["new"])
  }

  @Test(
    "A store with less room than an earlier process had loses nothing of what that kept",
    arguments: [MQTTDropPolicy.oldest, .newest, .lowestPriority])
  func lessRoom(policy: MQTTDropPolicy) throws {
    let store = StoreInMemory()
    let first = try client(store)
    for number in 1...40 { _ = try keep(first, "t\(number)") }
    #expect(try first.client.commit())
    let smaller = StoreInMemory(store.committed)
    smaller.capacity = 300
    let second = try client(smaller) { $0.dropPolicy = policy }
    #expect(arrivals(second) == (1...40).map { "t\($0)" })
    #expect(second.client.counters.storeFailures == 0)
  }

  @Test("A QoS 2 message that an earlier process sent is given up with the session, fetched late too")
  func lateFate() throws {
    let store = StoreInMemory()
    let first = try client(store) { $0.outboxCapacity = 4096 }
    let link = Link(first)
    first.client.start(now: first.now)
    link.settle()
    link.server.withholdsAcknowledgements = true
    let topics = (1...10).map { "t\($0)" }
    for topic in topics {
      let topic = Array(topic.utf8)
      try first.client.publish(
        topic: topic.span, payload: payload.span, qos: .exactlyOnce, durability: .disk)
    }
    link.settle()
    #expect(link.server.accepted.map(\.topic) == topics)
    let second = try client(StoreInMemory(store.committed))
    #expect(arrivals(second).isEmpty)
    #expect(second.seen == [.connected(false)] + (1...10).map { .publishFailed($0, .sessionLost) })
  }

  @Test("Properties, QoS and RETAIN are kept with the message")
  func wholeMessage() throws {
    let store = StoreInMemory()
    let first = try client(store)
    let topic = Array("t".utf8)
    var properties = PropertyList()
    try properties.append(user: "sampled", "123")
    try first.client.publish(
      topic: topic.span, payload: payload.span, qos: .exactlyOnce, retain: true,
      properties: properties.bytes.span, durability: .disk)
    let second = try client(store) { $0.version = .v5 }
    let link = Link(second)
    second.client.start(now: second.now)
    link.settle()
    let message = try #require(link.server.published.first)
    #expect(message.properties == properties.bytes && message.payload == payload)
    #expect(message.qos == .exactlyOnce && message.retain)
  }

  @Test("Rules choose what is kept on disk; the first that matches counts, and publish may say otherwise")
  func rules() throws {
    let store = StoreInMemory()
    let harness = try client(store) {
      $0.outboxCapacity = 4096
      $0.durability = [
        MQTTDurabilityRule(filter: "air/raw", durability: .memory),
        MQTTDurabilityRule(filter: "air/#", durability: .disk),
      ]
    }
    let topics: [(String, MQTTDurability?)] = [
      ("air/t", nil), ("air/raw", nil), ("soil", nil), ("soil", .disk), ("air/t", .memory),
    ]
    for (topic, durability) in topics {
      let topic = Array(topic.utf8)
      try harness.client.publish(
        topic: topic.span, payload: payload.span, qos: .atLeastOnce, durability: durability)
    }
    #expect(store.records.count == 2)
  }

  @Test("Without a store, what is to be kept on disk is kept in memory")
  func withoutStore() throws {
    let harness = try Harness { $0.version = .v3_1_1 }
    #expect(try keep(harness, "t") == 1)
    #expect(try harness.client.commit())
    #expect(arrivals(harness) == ["t"])
  }

  @Test("A full store drops what waits longest")
  func dropsOldest() throws {
    let store = StoreInMemory()
    store.capacity = 1200
    let harness = try client(store)
    for number in 1...15 { _ = try keep(harness, "t\(number)") }
    #expect(harness.client.counters.dropped == 5)
    // The first four are in the outbox: the server may have begun to receive them.
    #expect(arrivals(harness) == ["t1", "t2", "t3", "t4"] + (10...15).map { "t\($0)" })
  }

  @Test("A full store refuses what is new if that is its policy")
  func dropsNewest() throws {
    let store = StoreInMemory()
    store.capacity = 1200
    let harness = try client(store) { $0.dropPolicy = .newest }
    for number in 1...10 { _ = try keep(harness, "t\(number)") }
    for number in 11...15 {
      #expect(throws: MQTTPublishError.outboxFull) { try keep(harness, "t\(number)") }
    }
    #expect(harness.client.counters.dropped == 5)
    #expect(arrivals(harness) == (1...10).map { "t\($0)" })
  }

  @Test("A full store drops the oldest of the lowest priority, and sends the highest first")
  func dropsByPriority() throws {
    let store = StoreInMemory()
    store.capacity = 1200
    let harness = try client(store) { $0.dropPolicy = .lowestPriority }
    for number in 1...6 { _ = try keep(harness, "low\(number)", .disk(.low)) }
    for number in 1...4 { _ = try keep(harness, "high\(number)", .disk(.high)) }
    for number in 1...2 { _ = try keep(harness, "normal\(number)", .disk(.normal)) }
    _ = try keep(harness, "high5", .disk(.high))
    _ = try keep(harness, "normal3", .disk(.normal))
    #expect(throws: MQTTPublishError.outboxFull) { try keep(harness, "low7", .disk(.low)) }
    let expected = [
      "low1", "low2", "low3", "low4", "high1", "high2", "high3", "high4", "high5", "normal3",
    ]
    #expect(arrivals(harness) == expected)
  }

  @Test("What an earlier process kept with a high priority is dropped too when the policy is the oldest now")
  func dropsOldestOfAnyPriority() throws {
    let store = StoreInMemory()
    store.capacity = 1200
    let first = try client(store) { $0.dropPolicy = .lowestPriority }
    for number in 1...10 { _ = try keep(first, "t\(number)", .disk(.high)) }
    #expect(try first.client.commit())
    let second = try client(store)
    for number in 11...13 { _ = try keep(second, "t\(number)") }
    // The first four are in the outbox.
    #expect(arrivals(second) == (1...4).map { "t\($0)" } + (8...13).map { "t\($0)" })
    #expect(second.client.counters.dropped == 3)
  }

  @Test("A disk that fails is told of once, and costs no message that is in memory")
  func failure() throws {
    let store = StoreInMemory()
    let harness = try client(store)
    _ = try keep(harness, "t1")
    store.failure = .diskFull
    #expect(throws: MQTTStoreError.diskFull) { try harness.client.commit() }
    #expect(throws: MQTTPublishError.storeFailed(.diskFull)) { try keep(harness, "t2") }
    harness.pull()
    #expect(harness.seen == [.storeFailed(.diskFull)])
    #expect(harness.client.counters.storeFailures == 2)
    #expect(arrivals(harness) == ["t1"])
    store.failure = nil
    _ = try keep(harness, "t3")
    #expect(try harness.client.commit())
    store.failure = .failed
    _ = harness.takeAll()
    #expect(throws: MQTTPublishError.storeFailed(.failed)) { try keep(harness, "t4") }
    harness.pull()
    #expect(harness.seen.last == .storeFailed(.failed))
  }

  @Test("What depends on a commit leaves when that is done; what was queued before it need not wait longer")
  func slowCommit() throws {
    let store = StoreInMemory()
    let harness = try client(store) { $0.outboxCapacity = 4096 }
    harness.connect()
    store.isSlow = true
    _ = try keep(harness, "t1")
    #expect(harness.take().isEmpty && harness.client.hasOutput)
    _ = try keep(harness, "t2")
    #expect(harness.take().isEmpty)
    store.isSlow = false
    let first = harness.take()
    #expect(first == publishPacket("t1", payload, qos: 1, packetID: 1))
    #expect(store.committed.count == 1)
    #expect(harness.take() == publishPacket("t2", payload, qos: 1, packetID: 2))
    #expect(store.committed.count == 2)
  }

  @Test("Nothing is committed twice, and what is settled waits for the next commit")
  func fewCommits() throws {
    let store = StoreInMemory()
    let harness = try client(store) { $0.outboxCapacity = 4096 }
    harness.connect()
    let before = store.commits
    for number in 1...10 { _ = try keep(harness, "t\(number)") }
    _ = harness.takeAll()
    #expect(store.commits == before + 1)
    for packetID in UInt8(1)...10 { harness.feed([0x40, 2, 0, packetID]) }
    #expect(try harness.client.commit())
    #expect(store.commits == before + 1 && store.records.isEmpty && store.committed.count == 10)
  }

  @Test("Records that are none are removed and counted; the others are sent")
  func damagedRecords() throws {
    var records: [UInt64: [UInt8]] = [0: [1, 2], 1 << 56 | 5: [], 3 << 56: [9], .max: [1]]
    let bad: [[UInt8]] = [
      [], [1], [2, 2, 0, 1, 0, 1, 0, 0, 0x74], [1, 2, 0, 1, 0, 9, 0, 0, 0x74],
      [1, 0, 0, 1, 0, 1, 0, 0, 0x74],
      [1, 2, 0, 1, 0, 1, 255, 255, 0x74], [1, 2, 0, 1, 0, 1, 0, 0, 0x23], [1, 0x82, 0, 1, 0, 0, 0, 0],
      [UInt8](repeating: 1, count: 2000),
      // Properties that are none, and one that is not ours to give.
      [1, 2, 0, 1, 0, 1, 0, 2, 0x74, 0x7F, 0], [1, 2, 0, 1, 0, 1, 0, 3, 0x74, 0x23, 0, 1],
    ]
    for (index, record) in bad.enumerated() {
      records[16 << 56 | UInt64(index)] = record
      records[18 << 56 | UInt64(index)] = record
    }
    records[18 << 56 | 99] = [1, 2, 0, 0, 0, 1, 0, 0, 0x74, 1]
    let harness = try client(StoreInMemory(records))
    #expect(arrivals(harness) == ["t"])
    #expect(harness.client.counters.damagedRecords == 22)
  }
}
