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

  @Test("What was dropped for messages that could not be kept is not lost, and the store takes messages again")
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
    #expect(link.server.published.map(\.topic) == (1...4).map { "t\($0)" } + (6...10).map { "t\($0)" } + ["t31"])
    #expect(harness.client.counters.dropped == 21 && harness.client.storedBacklog == 0)
  }
}
