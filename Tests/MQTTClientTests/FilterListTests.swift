import MQTTClient
import MQTTCodec
import Testing

@Suite("Several filters in one packet")
struct FilterListTests {
  private let three = [
    MQTTFilter("a/#", options: MQTTSubscribeOptions(qos: .exactlyOnce)), MQTTFilter("b"),
    MQTTFilter("c", options: MQTTSubscribeOptions(qos: .atLeastOnce, noLocal: true)),
  ]
  /// Their list in a `SUBSCRIBE` of 3.1.1, in one of 5.0, and in an `UNSUBSCRIBE`.
  private let listed: [UInt8] = [0, 3, 97, 47, 35, 2, 0, 1, 98, 0, 0, 1, 99, 1]
  private let listedV5: [UInt8] = [0, 3, 97, 47, 35, 2, 0, 1, 98, 0, 0, 1, 99, 5]
  private let named: [UInt8] = [0, 3, 97, 47, 35, 0, 1, 98, 0, 1, 99]

  @Test("[MQTT-3.8.4-5] They go in one SUBSCRIBE, and its answers are matched in their order")
  func subscribing() throws {
    let harness = try Harness()
    harness.connect()
    let filters = try harness.client.subscribe(three)
    #expect(filters.map(\.index) == [0, 1, 2])
    #expect(harness.takeAll() == packet(0x82, [0, 1] + listed))
    harness.feed([0x90, 5, 0, 1, 1, 0x80, 0])
    #expect(
      harness.seen == [
        .subscribed(0, .atLeastOnce), .subscriptionRefused(1, .unspecifiedError), .subscribed(2, .atMostOnce),
      ])
    // Its packet identifier is free, and an answer that comes again means nothing.
    harness.feed([0x90, 5, 0, 1, 1, 0x80, 0])
    #expect(harness.seen.count == 3)
  }

  @Test("[MQTT5-3.8.4-6] The same with 5.0: properties once, any code, the server's words with each event")
  func subscribingV5() throws {
    let harness = try harnessV5()
    harness.connectV5()
    var words: [String?] = []
    let user = try properties { try $0.append(user: "u", "v") }
    _ = try harness.client.subscribe(three, subscriptionID: 7, userProperties: user.span)
    #expect(
      harness.takeAll() == packet(0x82, [0, 1, UInt8(user.count + 2), 0x0B, 7] + user + listedV5))
    let why = text(.reasonString, "why")
    let answer = packet(0x90, [0, 1, UInt8(why.count)] + why + [2, 0x87, 0x97])
    _ = answer.withUnsafeBufferPointer { harness.client.receive($0.span, now: harness.now) }
    while let event = harness.client.nextEvent(now: harness.now) {
      harness.seen.append(harness.describe(event))
      words.append(harness.reasonString)
    }
    #expect(
      harness.seen == [
        .subscribed(0, .exactlyOnce), .subscriptionRefused(1, .notAuthorized),
        .subscriptionRefused(2, .quotaExceeded),
      ])
    #expect(words == ["why", "why", "why"])
  }

  @Test("They go in one UNSUBSCRIBE, and each is told of")
  func unsubscribing() throws {
    let harness = try Harness()
    let filters = try harness.client.subscribe(three)
    harness.connect()
    _ = harness.takeAll()
    harness.feed([0x90, 5, 0, 1, 2, 0, 1])
    harness.seen = []
    harness.client.unsubscribe(filters)
    #expect(harness.takeAll() == packet(0xA2, [0, 2] + named))
    harness.feed([0xB0, 2, 0, 2])
    #expect(harness.seen == (0...2).map { .unsubscribed($0, .success) })
    #expect(try harness.client.subscribe(filter: "d").index == 0)
  }

  @Test("[MQTT5-3.11.3-2] An UNSUBACK of 5.0 has a code for each")
  func unsubscribingV5() throws {
    let harness = try harnessV5()
    let filters = try harness.client.subscribe(three)
    harness.connectV5()
    _ = harness.takeAll()
    harness.feed(packet(0x90, [0, 1, 0, 2, 0, 1]))
    harness.seen = []
    let user = try properties { try $0.append(user: "u", "v") }
    try harness.client.unsubscribe(filters, userProperties: user.span)
    #expect(harness.takeAll() == packet(0xA2, [0, 2, UInt8(user.count)] + user + named))
    harness.feed(packet(0xB0, [0, 2, 0, 0, 0x11, 0x87]))
    #expect(
      harness.seen == [
        .unsubscribed(0, .success), .unsubscribed(1, .noSubscriptionExisted),
        .unsubscribed(2, .notAuthorized),
      ])
  }

  @Test("[MQTT-3.8.4-5] Too few or too many answers are a protocol error", arguments: [2, 4])
  func wrongCount(_ count: Int) throws {
    for answer: UInt8 in [0x90, 0xB0] {
      let harness = try harnessV5()
      let filters = try harness.client.subscribe(three)
      harness.connectV5()
      if answer == 0xB0 {
        harness.feed(packet(0x90, [0, 1, 0, 0, 0, 0]))
        harness.client.unsubscribe(filters)
      }
      _ = harness.takeAll()
      harness.seen = []
      harness.feed(packet(answer, [0, answer == 0x90 ? 1 : 2, 0] + [UInt8](repeating: 0, count: count)))
      #expect(harness.takeLast() == [0xE0, 1, 0x82])
      #expect(harness.seen == [.disconnected(.malformed(.wrongCount))])
      harness.client.transportClosed(now: harness.now)
    }
  }

  @Test("After a lost connection they go together again, without those that the server knows")
  func reconnecting() throws {
    let harness = try Harness { $0.cleanSession = false }
    _ = try harness.client.subscribe(three)
    try harness.client.subscribe(filter: "d")
    harness.connect()
    #expect(harness.takeAll() == packet(0x82, [0, 1] + listed) + packet(0x82, [0, 2, 0, 1, 100, 0]))
    harness.feed([0x90, 5, 0, 1, 2, 0x80, 0x80])
    harness.lose()
    harness.connect(sessionPresent: true)
    #expect(
      harness.takeAll() == packet(0x82, [0, 3, 0, 1, 98, 0, 0, 1, 99, 1])
        + packet(0x82, [0, 4, 0, 1, 100, 0]))
  }

  @Test("[MQTT5-3.2.2-15] A server that takes short packets only gets them in several")
  func shortPackets() throws {
    let harness = try harnessV5()
    let filters = try harness.client.subscribe(
      (1...5).map { MQTTFilter("filter/\($0)") } + [MQTTFilter("one/that/is/too/long/for/it")])
    _ = harness.open()
    harness.feed(connack(number(.maximumPacketSize, 40)))
    #expect(harness.seen == [.connected(false), .subscriptionRefused(5, .packetTooLarge)])
    let entries = (1...5).map { [0, 8] + Array("filter/\($0)".utf8) + [0] }
    let sent = [entries[0...1], entries[2...3], entries[4...4]].enumerated().map { number, list in
      packet(0x82, [0, UInt8(number + 1), 0] + list.joined())
    }
    #expect(harness.takeAll() == Array(sent.joined()) && sent.allSatisfy { $0.count <= 40 })
    harness.seen = []
    harness.feed(
      packet(0x90, [0, 2, 0, 1, 0x80]) + packet(0x90, [0, 1, 0, 0, 1]) + packet(0x90, [0, 3, 0, 2]))
    #expect(
      harness.seen == [
        .subscribed(2, .atLeastOnce), .subscriptionRefused(3, .unspecifiedError), .subscribed(0, .atMostOnce),
        .subscribed(1, .atLeastOnce), .subscribed(4, .exactlyOnce),
      ])
    harness.client.unsubscribe(filters)
    let left = harness.takeAll()
    #expect(
      Array(left.prefix(25)) == packet(0xA2, [0, 4, 0] + entries[0].dropLast() + entries[1].dropLast()))
  }

  @Test("More than the send buffer holds go in several packets, once there is room")
  func smallBuffer() throws {
    let harness = try Harness { $0.sendCapacity = 256 }
    let link = Link(harness)
    _ = try harness.client.subscribe((1...100).map { MQTTFilter("a/longer/filter/\($0)") })
    harness.client.start(now: harness.now)
    link.settle()
    #expect(link.server.subscriptions.count == 100 && link.server.faults.isEmpty)
    #expect(harness.seen.count { if case .subscribed = $0 { true } else { false } } == 100)
  }

  @Test("After a mistake in one of them none is taken")
  func mistakes() throws {
    let harness = try harnessV5()
    harness.connectV5()
    #expect(throws: MQTTSubscribeError.invalidFilter(.invalidFilter)) {
      try harness.client.subscribe([MQTTFilter("a"), MQTTFilter("a/#/b")])
    }
    #expect(throws: MQTTSubscribeError.invalidOptions) {
      try harness.client.subscribe([MQTTFilter("a")], subscriptionID: 0)
    }
    #expect(try harness.client.subscribe([]).isEmpty)
    #expect(!harness.client.hasOutput)
    #expect(try harness.client.subscribe(filter: "b").index == 0)
  }

  @Test("One that is taken out, or asked for anew, while its SUBSCRIBE is under way is not answered by it")
  func crossing() throws {
    let harness = try Harness()
    let filters = try harness.client.subscribe(three)
    harness.connect()
    harness.client.unsubscribe(filters[0])
    try harness.client.subscribe(filter: "b", qos: .exactlyOnce)
    #expect(
      harness.takeAll() == packet(0x82, [0, 1] + listed) + packet(0xA2, [0, 2, 0, 3, 97, 47, 35])
        + packet(0x82, [0, 3, 0, 1, 98, 2]))
    harness.feed([0x90, 5, 0, 1, 2, 0, 1, 0xB0, 2, 0, 2, 0x90, 3, 0, 3, 2])
    #expect(
      harness.seen == [
        .subscribed(2, .atLeastOnce), .unsubscribed(0, .success), .subscribed(1, .exactlyOnce),
      ])
  }

  @Test("A filter that is there twice in a call is one, with the options that come last")
  func twice() throws {
    let harness = try Harness()
    harness.connect()
    let filters = try harness.client.subscribe([
      MQTTFilter("b", options: MQTTSubscribeOptions(qos: .exactlyOnce)), MQTTFilter("b"),
    ])
    #expect(filters.map(\.index) == [0, 0])
    #expect(harness.takeAll() == [0x82, 6, 0, 1, 0, 1, 98, 0])
    harness.client.unsubscribe(filters)
    #expect(harness.takeAll() == [0xA2, 5, 0, 2, 0, 1, 98])
  }
}
