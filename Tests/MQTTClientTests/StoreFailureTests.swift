import Loopback
import MQTTClient
import Testing

@Suite("A store that fails, and works again")
struct StoreFailureTests {
  private let payload = [UInt8](repeating: 7, count: 100)

  private func client(_ store: StoreInMemory) throws -> Harness {
    try Harness(store: store) {
      $0.version = .v3_1_1
      $0.cleanSession = false
      $0.outboxCapacity = 512
    }
  }

  private func keep(_ harness: Harness, _ topic: String, qos: MQTTQoS = .atLeastOnce) throws {
    let topic = Array(topic.utf8)
    try harness.client.publish(topic: topic.span, payload: payload.span, qos: qos, durability: .disk)
  }

  private func connect(_ harness: Harness) -> Link {
    let link = Link(harness)
    harness.client.start(now: harness.now)
    link.settle()
    return link
  }

  @Test("What was dropped for messages that could not be kept is not lost, and more are taken")
  func fullOfBoth() throws {
    let store = StoreInMemory()
    store.capacity = 1200
    let harness = try client(store)
    for number in 1...10 { try keep(harness, "t\(number)") }
    #expect(try harness.client.commit())
    store.failsCommits = .diskFull
    for number in 11...30 {
      try keep(harness, "t\(number)")
      #expect(throws: MQTTStoreError.diskFull) { try harness.client.commit() }
    }
    #expect(harness.client.counters.dropped == 20)
    store.failsCommits = nil
    try keep(harness, "t31")
    let link = connect(harness)
    // The first four are in the outbox.
    let expected = (1...4).map { "t\($0)" } + (6...10).map { "t\($0)" } + ["t31"]
    #expect(link.server.published.map(\.topic) == expected)
    #expect(harness.client.counters.dropped == 21 && harness.client.storedBacklog == 0)
  }

  @Test("What was fetched and settled while the store failed is sent by no other process")
  func settledMeanwhile() throws {
    let store = StoreInMemory()
    let harness = try client(store)
    for number in 1...8 { try keep(harness, "t\(number)", qos: .exactlyOnce) }
    #expect(try harness.client.commit())
    store.failsCommits = .diskFull
    let link = connect(harness)
    #expect(link.server.accepted.map(\.topic) == (1...8).map { "t\($0)" })
    store.failsCommits = nil
    try keep(harness, "t9", qos: .exactlyOnce)
    link.settle()
    #expect(try harness.client.commit())
    let second = try client(StoreInMemory(store.committed))
    // That the last one is settled waits for the next commit.
    #expect(second.client.unsettled == 1)
  }

  @Test("What is in the outbox when the store works again outlives the process")
  func keptAgain() throws {
    let store = StoreInMemory()
    let harness = try client(store)
    for number in 1...8 { try keep(harness, "t\(number)", qos: .exactlyOnce) }
    #expect(try harness.client.commit())
    let link = Link(harness)
    store.failsCommits = .diskFull
    harness.client.start(now: harness.now)
    link.bytesUntilCut = 900
    link.settle()
    let before = link.server.accepted.count
    link.isDown = true
    #expect(before > 3 && before < 8)
    store.failsCommits = nil
    try keep(harness, "t9", qos: .exactlyOnce)
    #expect(try harness.client.commit())
    let second = try client(StoreInMemory(store.committed))
    // The server's session goes on.
    let later = Link(second, server: link.server)
    second.client.start(now: second.now)
    later.settle()
    #expect(link.server.accepted.map(\.topic) == (1...9).map { "t\($0)" } && link.server.faults.isEmpty)
  }

  @Test("An identifier that was released while the store failed is free for another process")
  func releasedMeanwhile() throws {
    let store = StoreInMemory()
    let harness = try client(store)
    harness.connect(sessionPresent: true)
    harness.feed(publishPacket("t", [1], qos: 2, packetID: 7) + publishPacket("t", [1], qos: 2, packetID: 8))
    #expect(harness.takeAll() == [0x50, 2, 0, 7, 0x50, 2, 0, 8])
    store.failsCommits = .failed
    harness.feed([0x62, 2, 0, 7])
    #expect(harness.takeAll() == [0x70, 2, 0, 7])
    store.failsCommits = nil
    try keep(harness, "t")
    #expect(try harness.client.commit())
    let second = try client(StoreInMemory(store.committed))
    second.connect(sessionPresent: true)
    second.feed(
      publishPacket("t", [2], qos: 2, packetID: 7)
        + publishPacket("t", [1], qos: 2, packetID: 8, flags: 8))
    #expect(second.seen == [.message("t", [2], .exactlyOnce)])
  }

  @Test("What could not be fetched is fetched with the next PINGREQ or connection", arguments: [false, true])
  func fetchedLater(isCut: Bool) throws {
    let store = StoreInMemory()
    let harness = try client(store)
    for number in 1...8 { try keep(harness, "t\(number)") }
    #expect(try harness.client.commit())
    store.failure = .failed
    let link = connect(harness)
    #expect(link.server.accepted.count == 4 && harness.client.storedBacklog == 4)
    store.failure = nil
    if isCut { link.cut() }
    link.run(for: isCut ? 2_000 : 70_000)
    #expect(link.server.accepted.map(\.topic) == (1...8).map { "t\($0)" })
  }
}
