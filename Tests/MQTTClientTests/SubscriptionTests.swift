import MQTTClient
import Testing

@Suite("Subscriptions that come and go")
struct SubscriptionTests {
  private func reconnect(_ harness: Harness, sessionPresent: Bool) {
    _ = harness.takeAll()
    harness.client.transportClosed(now: harness.now)
    harness.pull()
    harness.waitForOpen()
    harness.connect(sessionPresent: sessionPresent)
  }

  @Test("[MQTT-3.10.1-1] [MQTT-2.3.1-1] UNSUBSCRIBE takes a filter out of the table")
  func leaving() throws {
    let harness = try Harness()
    let first = try harness.subscribe("a/#", .exactlyOnce)
    try harness.subscribe("b")
    harness.connect()
    #expect(harness.take() == [0x82, 8, 0, 1, 0, 3, 97, 47, 35, 2, 0x82, 6, 0, 2, 0, 1, 98, 0])
    harness.feed([0x90, 3, 0, 1, 2, 0x90, 3, 0, 2, 0])
    harness.client.unsubscribe(first)
    harness.client.unsubscribe(first)
    #expect(harness.take() == [0xA2, 7, 0, 3, 0, 3, 97, 47, 35])
    harness.feed([0xB0, 2, 0, 9, 0xB0, 2, 0, 3, 0xB0, 2, 0, 3])
    #expect(
      harness.seen == [.subscribed(0, .exactlyOnce), .subscribed(1, .atMostOnce), .unsubscribed(0, .success)])
    #expect(try harness.subscribe("c").index == 0)
    reconnect(harness, sessionPresent: false)
    #expect(harness.take().count == 16)
  }

  @Test("An UNSUBSCRIBE without an answer is sent again, to a server without a session too")
  func again() throws {
    for sessionPresent in [true, false] {
      let harness = try Harness { $0.cleanSession = false }
      let filter = try harness.subscribe("a")
      harness.connect()
      _ = harness.takeAll()
      harness.feed([0x90, 3, 0, 1, 0])
      harness.client.unsubscribe(filter)
      reconnect(harness, sessionPresent: sessionPresent)
      #expect(harness.take() == [0xA2, 5, 0, 3, 0, 1, 97])
      harness.feed([0xB0, 2, 0, 3])
      #expect(harness.seen == [.unsubscribed(0, .success)])
    }
  }

  @Test("A filter that is taken out while its SUBSCRIBE is under way does not come back")
  func crossing() throws {
    let harness = try Harness()
    let filter = try harness.subscribe("a")
    harness.connect()
    harness.client.unsubscribe(filter)
    #expect(harness.take() == [0x82, 6, 0, 1, 0, 1, 97, 0, 0xA2, 5, 0, 2, 0, 1, 97])
    harness.feed([0x90, 3, 0, 1, 0, 0xB0, 2, 0, 2])
    #expect(harness.seen == [.unsubscribed(0, .success)])
  }

  @Test("The same filter again is asked for anew and keeps its number; after an UNSUBSCRIBE it goes last")
  func sameFilter() throws {
    let harness = try Harness()
    try harness.subscribe("x")
    let second = try harness.subscribe("a")
    harness.connect()
    _ = harness.takeAll()
    harness.feed([0x90, 3, 0, 1, 0, 0x90, 3, 0, 2, 0])
    #expect(try harness.subscribe("a", .atLeastOnce).index == 1)
    #expect(harness.take() == [0x82, 6, 0, 3, 0, 1, 97, 1])
    harness.feed([0x90, 3, 0, 3, 1])
    harness.client.transportClosed(now: harness.now)
    harness.client.unsubscribe(second)
    #expect(try harness.subscribe("a").index == 2)
    harness.waitForOpen()
    harness.connect()
    #expect(
      harness.take() == [
        0xA2, 5, 0, 4, 0, 1, 97, 0x82, 6, 0, 5, 0, 1, 120, 0, 0x82, 6, 0, 6, 0, 1, 97, 0,
      ])
  }

  @Test("More filters than there are packet identifiers are asked for as the server answers")
  func manyFilters() throws {
    let harness = try Harness { $0.outboxCapacity = 64 }
    let filters = try (1...100).map { try harness.subscribe("f/\($0)") }
    let link = Link(harness)
    harness.client.start(now: harness.now)
    link.settle()
    #expect(link.server.subscriptions.count == 100)
    for filter in filters { harness.client.unsubscribe(filter) }
    link.settle()
    #expect(link.server.subscriptions.isEmpty && link.server.faults.isEmpty)
  }

  @Test("Ten thousand filters in turn take one place and no packet identifier for good")
  func turnover() throws {
    let harness = try Harness()
    harness.connect()
    let link = Link(harness)
    harness.client.transportClosed(now: harness.now)
    link.run(for: 2_000)
    for number in 0..<10_000 {
      let filter = try harness.subscribe("f/\(number)")
      link.settle()
      harness.client.unsubscribe(filter)
      link.settle()
      #expect(filter.index == 0)
    }
    #expect(link.server.subscriptions.isEmpty && link.server.faults.isEmpty)
  }
}
