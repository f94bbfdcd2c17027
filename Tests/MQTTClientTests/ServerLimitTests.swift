import MQTTClient
import MQTTCodec
import Testing

@Suite("What a server of 5.0 allows")
struct ServerLimitTests {
  @Test("[MQTT5-3.2.2-11] [MQTT5-3.2.2-14] [MQTT5-3.2.2-15] What the server does not take is not sent")
  func refusedLocally() throws {
    let harness = try harnessV5()
    harness.connectV5(
      number(.maximumQoS, 1) + number(.retainAvailable, 0) + number(.maximumPacketSize, 20))
    #expect(throws: MQTTPublishError.unsupported(.qosNotSupported)) {
      try harness.publish("t", [], qos: .exactlyOnce)
    }
    #expect(throws: MQTTPublishError.unsupported(.retainNotSupported)) {
      try harness.publish("t", [], retain: true)
    }
    #expect(throws: MQTTPublishError.unsupported(.packetTooLarge)) {
      try harness.publish("t", [UInt8](repeating: 0, count: 15))
    }
    #expect(!harness.client.hasOutput)
    _ = try harness.publish("t", [UInt8](repeating: 0, count: 14))
    #expect(harness.takeAll().count == 20)
  }

  @Test("[MQTT5-3.2.2-11] [MQTT5-3.2.2-15] What was kept for a server that does not take it is told of")
  func refusedLater() throws {
    let harness = try harnessV5()
    _ = try harness.publish("t", [1], qos: .exactlyOnce)
    _ = try harness.publish("t", [UInt8](repeating: 0, count: 30), qos: .atLeastOnce)
    _ = try harness.publish("t", [2], qos: .atLeastOnce)
    _ = harness.open()
    harness.feed(connack(number(.maximumQoS, 1) + number(.maximumPacketSize, 20)))
    #expect(
      harness.seen == [
        .connected(false), .publishFailed(1, .refused(.qosNotSupported)),
        .publishFailed(2, .refused(.packetTooLarge)),
      ])
    #expect(harness.take() == publishV5("t", [2], qos: 1, packetID: 3))
    harness.feed([0x40, 2, 0, 3])
    #expect(try harness.publish("t", [], qos: .atLeastOnce) == 4)
  }

  @Test(
    "[MQTT5-4.9.0-1] [MQTT5-4.9.0-2] [MQTT5-4.9.0-3] [MQTT5-3.3.4-7] No more messages are under way than the server takes"
  )
  func receiveMaximum() throws {
    let harness = try harnessV5()
    harness.connectV5(number(.receiveMaximum, 2))
    for number in UInt8(1)...4 { _ = try harness.publish("t", [number], qos: .exactlyOnce) }
    _ = try harness.publish("t", [])
    #expect(
      harness.takeAll() == publishV5("t", [1], qos: 2, packetID: 1) + publishV5("t", [2], qos: 2, packetID: 2)
        + publishV5("t", []))
    harness.feed([0x50, 2, 0, 1])
    #expect(harness.takeAll() == [0x62, 2, 0, 1])
    harness.feed([0x70, 2, 0, 1])
    #expect(harness.takeAll() == publishV5("t", [3], qos: 2, packetID: 3))
    harness.feed([0x50, 3, 0, 2, 0x80])
    #expect(harness.takeAll() == publishV5("t", [4], qos: 2, packetID: 4))
  }

  @Test("Filters that the server does not take are not sent, and told of")
  func subscriptions() throws {
    let harness = try harnessV5()
    try harness.subscribe("a/+")
    try harness.subscribe("$share/g/a")
    let filter = [UInt8]("b".utf8)
    try harness.client.subscribe(
      filter: filter.span, options: MQTTSubscribeOptions(qos: .atMostOnce), subscriptionID: 1)
    try harness.subscribe("c")
    _ = harness.open()
    harness.feed(
      connack(
        number(.wildcardSubscriptionAvailable, 0) + number(.sharedSubscriptionAvailable, 0)
          + number(.subscriptionIdentifierAvailable, 0)))
    #expect(
      harness.seen == [
        .connected(false), .subscriptionRefused(0, .wildcardSubscriptionsNotSupported),
        .subscriptionRefused(1, .sharedSubscriptionsNotSupported),
        .subscriptionRefused(2, .subscriptionIdentifiersNotSupported),
      ])
    #expect(harness.take() == packet(0x82, [0, 1, 0, 0, 1, 99, 0]))
    // The next server may be another one.
    harness.lose()
    harness.connectV5()
    #expect(harness.take().count == 11 + 18 + 11 + 9)
  }

  @Test("[MQTT5-3.2.2-15] An UNSUBSCRIBE that is too long for the server is not sent, and told of")
  func longUnsubscribe() throws {
    let harness = try harnessV5()
    let filter = try harness.subscribe("a/filter/that/is/longer/than/this/server/takes")
    harness.connectV5(number(.maximumPacketSize, 32))
    harness.client.unsubscribe(filter)
    harness.pull()
    #expect(harness.seen == [.unsubscribed(0, .packetTooLarge)] && harness.takeAll().isEmpty)
    #expect(try harness.subscribe("b").index == 0)
    #expect(harness.takeAll() == packet(0x82, [0, 1, 0, 0, 1, 98, 0]))
  }

  @Test("[MQTT5-3.1.2-21] [MQTT5-3.2.2-21] The server's keep alive is kept instead of ours")
  func serverKeepAlive() throws {
    let harness = try harnessV5()
    harness.connectV5(number(.serverKeepAlive, 10))
    let deadline = try #require(harness.client.nextDeadline)
    #expect(deadline > harness.now + 8_000 && deadline < harness.now + 10_000)
    harness.lose()
    harness.connectV5()
    #expect(try #require(harness.client.nextDeadline) > harness.now + 55_000)
  }

  @Test(
    "[MQTT5-3.1.3-6] [MQTT5-3.1.3-7] [MQTT5-3.2.2-16] A client identifier that the server assigned is ours from then on"
  )
  func assigned() throws {
    let harness = try harnessV5 { $0.clientID = "" }
    #expect(harness.open().suffix(2) == [0, 0])
    harness.feed(connack(text(.assignedClientIdentifier, "auto-1")))
    #expect(String(decoding: harness.client.assignedClientIdentifier, as: UTF8.self) == "auto-1")
    harness.lose()
    #expect(harness.open().suffix(8) == [0, 6] + Array("auto-1".utf8))
  }

  @Test("A client that has an identifier keeps it, and its session: another one is a protocol error")
  func assignedToNamed() throws {
    let harness = try harnessV5 { $0.clientID = "mine" }
    _ = harness.open()
    harness.feed(connack(text(.assignedClientIdentifier, "p")))
    #expect(harness.seen.last == .failed(.violation(.protocolError)))
    #expect(harness.client.assignedClientIdentifier.isEmpty)
    harness.lose()
    #expect(harness.open().suffix(6) == [0, 4] + Array("mine".utf8))
    // Some servers repeat what they were told.
    harness.feed(connack(text(.assignedClientIdentifier, "mine")))
    #expect(harness.seen.last == .connected(false))
  }

  @Test(
    "[MQTT5-3.3.2-7] [MQTT5-3.3.2-8] [MQTT5-3.3.2-9] [MQTT5-3.2.2-17] [MQTT5-3.2.2-18] Repeated topics get an alias when the server allows"
  )
  func sentAliases() throws {
    let harness = try harnessV5 { $0.sentTopicAliases = 8 }
    harness.connectV5()
    for _ in 1...2 { _ = try harness.publish("topic", [1]) }
    #expect(harness.takeAll() == publishV5("topic", [1]) + publishV5("topic", [1]))
    harness.lose()
    harness.connectV5(number(.topicAliasMaximum, 1))
    let alias = number(.topicAlias, 1)
    for _ in 1...2 { _ = try harness.publish("topic", [1]) }
    _ = try harness.publish("other", [2])
    _ = try harness.publish("topic", [3], qos: .atLeastOnce, properties: number(.messageExpiryInterval, 9))
    #expect(
      harness.takeAll() == publishV5("topic", [1], alias) + publishV5("", [1], alias)
        + publishV5("other", [2], alias)
        + publishV5("topic", [3], qos: 1, packetID: 1, alias + number(.messageExpiryInterval, 9)))
    #expect(harness.client.counters.aliased == 1)
    // Nothing of it is left on the next connection.
    harness.lose()
    harness.connectV5(number(.topicAliasMaximum, 1))
    #expect(
      harness.takeAll()
        == publishV5("topic", [3], qos: 1, packetID: 1, alias + number(.messageExpiryInterval, 9)))
  }

  @Test(
    "[MQTT5-3.3.2-10] [MQTT5-3.3.2-12] The server's aliases stand for their topics until they get another one"
  )
  func receivedAliases() throws {
    let harness = try harnessV5 { $0.topicAliasMaximum = 2 }
    harness.connectV5()
    let (one, two) = (number(.topicAlias, 1), number(.topicAlias, 2))
    harness.feed(
      publishV5("a", [1], one) + publishV5("bb", [2], two) + publishV5("", [3], one) + publishV5("", [4], two)
        + publishV5("ccc", [5], one) + publishV5("", [6], qos: 1, packetID: 9, one))
    #expect(
      harness.seen == [
        .message("a", [1]), .message("bb", [2]), .message("a", [3]), .message("bb", [4]),
        .message("ccc", [5]), .message("ccc", [6], .atLeastOnce),
      ])
    harness.lose()
    harness.connectV5()
    harness.feed(publishV5("", [7], one))
    _ = harness.takeLast()
    #expect(harness.seen == [.disconnected(.violation(.protocolError))])
  }

  @Test("An alias that comes with a message too long to be delivered counts too")
  func oversizedAlias() throws {
    let harness = try harnessV5 {
      $0.topicAliasMaximum = 2
      $0.receiveCapacity = 64
    }
    harness.connectV5()
    let long = [UInt8](repeating: 5, count: 100)
    let one = number(.topicAlias, 1)
    harness.feed(publishV5("abc", long, one) + publishV5("", [1], one) + publishV5("", long, one))
    #expect(harness.seen == [.oversized("abc", 100), .message("abc", [1]), .oversized("abc", 100)])
  }
}
