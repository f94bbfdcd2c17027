import MQTTClient
import MQTTCodec
import Testing

/// What waits in the outbox grows old there.
@Suite struct ExpiryTests {
  private let expiry = number(.messageExpiryInterval, 60)

  private func publish(_ harness: Harness, _ topic: String = "t", qos: QoS = .atLeastOnce) throws {
    try harness.client.publish(
      topic: topic.utf8.span, payload: [1].span, qos: qos, properties: expiry.span)
  }

  /// The message as it is on the wire, with that much of its time left.
  private func sent(_ seconds: UInt32, packetID: UInt16 = 1, flags: UInt8 = 0) -> [UInt8] {
    publishV5(
      "t", [1], qos: 1, packetID: packetID, flags: flags, number(.messageExpiryInterval, seconds))
  }

  private func connect(_ harness: Harness, sessionPresent: Bool = false) -> [UInt8] {
    _ = harness.open()
    harness.feed(connack(sessionPresent: sessionPresent))
    return harness.takeAll()
  }

  @Test("a message that goes out at once keeps its time, and one that waited has what is left of it")
  func rest() throws {
    let harness = try harnessV5()
    try publish(harness)
    harness.client.start(now: harness.now)
    harness.now += 20_000
    #expect(connect(harness) == sent(40))
    try publish(harness)
    #expect(harness.takeAll() == sent(60, packetID: 2))
  }

  @Test("a clock that was late when a message was published cuts nothing off its time")
  func lateClock() throws {
    let harness = try harnessV5()
    harness.client.start(now: harness.now)
    harness.now += 50_000
    try publish(harness)
    #expect(connect(harness) == sent(60))
  }

  @Test("a message whose time is over is given up, and the owner told; those behind it go out")
  func over() throws {
    let harness = try harnessV5()
    harness.client.start(now: harness.now)
    try publish(harness)
    harness.pull()
    harness.now += 59_000
    harness.pull()
    try publish(harness)
    harness.pull()
    harness.now += 2_000
    #expect(connect(harness) == sent(58, packetID: 2))
    harness.pull()
    #expect(harness.seen.contains(.publishFailed(1, .expired)))
    #expect(!harness.seen.contains(.publishFailed(2, .expired)))
    harness.feed([0x40, 2, 0, 2])
    #expect(harness.seen.contains(.published(2)))
  }

  // [MQTT5-4.4.0-1]
  @Test("a message that the server may have is sent again after its time, to expire at once")
  func again() throws {
    let harness = try harnessV5 { $0.cleanSession = false }
    _ = connect(harness)
    try publish(harness)
    #expect(harness.takeAll() == sent(60))
    harness.lose()
    harness.now += 100_000
    #expect(connect(harness, sessionPresent: true) == sent(1, flags: 8))
  }

  @Test("with 3.1.1 the time counts, too")
  func old() throws {
    let harness = try Harness()
    try publish(harness)
    harness.client.start(now: harness.now)
    harness.now += 61_000
    _ = harness.open()
    harness.feed([0x20, 2, 0, 0])
    #expect(harness.takeAll().isEmpty)
    harness.pull()
    #expect(harness.seen.contains(.publishFailed(1, .expired)))
  }

  @Test("an expiry beyond 68 years never comes, and a message without one stays for ever")
  func never() throws {
    let harness = try harnessV5()
    let far = number(.messageExpiryInterval, .max)
    try harness.client.publish(
      topic: "t".utf8.span, payload: [1].span, qos: .atLeastOnce, properties: far.span)
    let unit = try properties { try $0.append(user: "unit", "C") }
    try harness.client.publish(
      topic: "t".utf8.span, payload: [1].span, qos: .atLeastOnce, properties: unit.span)
    harness.client.start(now: harness.now)
    harness.now += 1 << 40
    let out = connect(harness)
    #expect(
      out == publishV5("t", [1], qos: 1, packetID: 1, far) + publishV5("t", [1], qos: 1, packetID: 2, unit))
  }

  @Test("the longest expiry that a signed number holds does not come at once")
  func longest() throws {
    let harness = try harnessV5()
    harness.client.start(now: harness.now + 1)
    let far = number(.messageExpiryInterval, .max >> 1)
    try harness.client.publish(
      topic: "t".utf8.span, payload: [1].span, qos: .atLeastOnce, properties: far.span)
    #expect(connect(harness) == publishV5("t", [1], qos: 1, packetID: 1, far))
  }

  @Test("an alias for the topic and an expiry go together")
  func alias() throws {
    let harness = try harnessV5 { $0.sentTopicAliases = 1 }
    try publish(harness)
    harness.client.start(now: harness.now)
    harness.now += 10_000
    _ = harness.open()
    harness.feed(connack(number(.topicAliasMaximum, 1)))
    let out = harness.takeAll()
    #expect(out.suffix(1) == [1] && out.count == sent(50).count + 3)
  }

  @Test("what comes from the disk has its time from then on, and is given up there, too")
  func disk() throws {
    let store = StoreInMemory()
    let first = try Harness(store: store) { $0.version = .v5 }
    try first.client.publish(
      topic: "t".utf8.span, payload: [1].span, qos: .atLeastOnce, properties: expiry.span, durability: .disk)
    try first.client.commit()
    let second = try Harness(store: store) { $0.version = .v5 }
    second.client.start(now: second.now)
    second.now += 61_000
    _ = second.open()
    second.feed(connack())
    second.pull()
    #expect(second.seen.contains(.publishFailed(1, .expired)))
    try second.client.commit()
    #expect(store.records.values.allSatisfy { $0.count <= 8 })
  }
}
