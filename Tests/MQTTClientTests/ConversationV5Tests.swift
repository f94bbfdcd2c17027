import MQTTClient
import MQTTCodec
import Testing

@Suite("Conversations of 5.0, byte by byte")
struct ConversationV5Tests {
  @Test(
    "[MQTT5-3.1.0-1] [MQTT5-3.1.2-1] [MQTT5-3.1.3-1] [MQTT5-3.1.3-2] [MQTT5-2.2.2-1] CONNECT says Receive Maximum and nothing that was not asked for"
  )
  func connecting() throws {
    let harness = try harnessV5()
    let expected = packet(
      0x10, [0, 4, 77, 81, 84, 84, 5, 2, 0, 60, 3, 0x21, 0, 20, 0, 3] + Array("dev".utf8))
    #expect(harness.open() == expected)
    harness.feed(connack())
    #expect(harness.seen == [.connected(false)] && harness.client.protocolVersion == .v5)
  }

  @Test(
    "[MQTT5-3.1.2-9] [MQTT5-3.1.2-16] [MQTT5-3.1.2-18] [MQTT5-3.1.3-11] [MQTT5-3.1.3-12] CONNECT carries all options, properties in the order of their identifiers"
  )
  func connectOptions() throws {
    let harness = try harnessV5 { options in
      options.cleanSession = false
      options.sessionExpiry = 300
      options.receiveMaximum = 9
      options.topicAliasMaximum = 5
      options.maximumPacketSize = 4096
      options.properties.append(.requestProblemInformation, 0)
      options.password = [0, 255]
      var will = MQTTWill(topic: "w", payload: [7], qos: .exactlyOnce, retain: true)
      will.delay = 30
      will.properties.append(.messageExpiryInterval, 60)
      options.will = will
    }
    let first =
      number(.receiveMaximum, 9) + number(.sessionExpiryInterval, 300) + number(.topicAliasMaximum, 5)
      + number(.maximumPacketSize, 4096) + number(.requestProblemInformation, 0)
    let will = number(.willDelayInterval, 30) + number(.messageExpiryInterval, 60)
    let head: [UInt8] = [0, 4, 77, 81, 84, 84, 5, 0b0111_0100, 0, 60, UInt8(first.count)]
    let tail: [UInt8] = [0, 1, 119, 0, 1, 7, 0, 2, 0, 255]
    let body = head + first + [0, 3] + Array("dev".utf8) + [UInt8(will.count)] + will + tail
    #expect(harness.open() == packet(0x10, body))
  }

  @Test("[MQTT5-2.2.1-2] [MQTT5-2.2.1-3] [MQTT5-2.2.1-5] Messages carry their properties, QoS 0 and 1")
  func publishing() throws {
    let harness = try harnessV5()
    harness.connectV5()
    let list = number(.payloadFormatIndicator, 1) + text(.contentType, "a/b")
    _ = try harness.publish("t", [9])
    _ = try harness.publish("t", [8], qos: .atLeastOnce, properties: list)
    #expect(harness.take() == publishV5("t", [9]) + publishV5("t", [8], qos: 1, packetID: 1, list))
    harness.feed([0x40, 2, 0, 1])
    #expect(harness.seen == [.published(1)])
  }

  @Test(
    "[MQTT5-3.4.2-1] [MQTT5-4.3.2-1] PUBACK with a reason: nobody is subscribed, or the message is refused")
  func puback() throws {
    let harness = try harnessV5()
    harness.connectV5()
    for _ in 1...3 { _ = try harness.publish("t", [9], qos: .atLeastOnce) }
    harness.feed([0x40, 3, 0, 1, 0x10])
    let reason = text(.reasonString, "no")
    _ = harness.client.receive(
      packet(0x40, [0, 2, 0x97, UInt8(reason.count)] + reason).span, now: harness.now)
    let event = try #require(harness.client.nextEvent(now: harness.now))
    #expect(harness.describe(event) == .publishFailed(2, .refused(.quotaExceeded)))
    #expect(harness.reasonString == "no")
    harness.feed([0x40, 4, 0, 3, 0, 0])
    #expect(harness.seen == [.published(1), .published(3)] && harness.reasonString == nil)
  }

  @Test(
    "[MQTT5-4.3.3-1] [MQTT5-4.3.3-2] [MQTT5-4.3.3-3] [MQTT5-4.3.3-4] A PUBREC that refuses ends the flow without PUBREL"
  )
  func pubrecRefuses() throws {
    let harness = try harnessV5 { $0.maxInFlight = 1 }
    harness.connectV5()
    _ = try harness.publish("t", [1], qos: .exactlyOnce)
    _ = try harness.publish("t", [2], qos: .exactlyOnce)
    _ = harness.takeAll()
    harness.feed([0x50, 3, 0, 1, 0x87])
    #expect(harness.seen == [.publishFailed(1, .refused(.notAuthorized))])
    #expect(harness.take() == publishV5("t", [2], qos: 2, packetID: 2))
    harness.feed([0x50, 3, 0, 2, 0x10, 0x70, 3, 0, 2, 0x92])
    #expect(harness.take() == [0x62, 2, 0, 2] && harness.seen.last == .published(2))
  }

  @Test(
    "[MQTT5-4.3.3-4] [MQTT5-4.3.3-11] [MQTT5-3.6.2-1] [MQTT5-3.7.2-1] Unknown packet identifiers are answered as such"
  )
  func unknownIdentifiers() throws {
    let harness = try harnessV5()
    harness.connectV5()
    harness.feed([0x50, 2, 0, 7, 0x62, 2, 0, 8, 0x40, 2, 0, 9, 0x70, 2, 0, 9])
    #expect(harness.take() == [0x62, 3, 0, 7, 0x92, 0x70, 3, 0, 8, 0x92])
    harness.feed(publishV5("t", [], qos: 2, packetID: 8) + [0x62, 2, 0, 8])
    #expect(harness.take() == [0x50, 2, 0, 8, 0x70, 2, 0, 8])
  }

  @Test("[MQTT5-3.3.2-15] [MQTT5-3.3.2-18] A message's properties can be read")
  func reading() throws {
    let harness = try harnessV5()
    harness.connectV5()
    let list =
      text(.responseTopic, "r") + text(.correlationData, "c") + number(.subscriptionIdentifier, 300)
      + [0x26, 0, 1, 97, 0, 1, 98]
    _ = harness.client.receive(publishV5("t", [5], qos: 1, packetID: 2, list).span, now: harness.now)
    guard case .message(let message)? = harness.client.nextEvent(now: harness.now) else {
      Issue.record("no message")
      return
    }
    #expect(harness.client.withProperties(of: message) { array($0) } == list)
    #expect(
      harness.client.withMessage(message) { topic, payload in array(topic) + array(payload) } == [116, 5])
    harness.pull()
    #expect(harness.take() == [0x40, 2, 0, 2])
  }

  @Test("[MQTT5-3.8.1-1] [MQTT5-3.8.3-3] [MQTT5-3.8.3-4] [MQTT5-3.10.1-1] Subscriptions with all options")
  func subscribing() throws {
    let harness = try harnessV5()
    let filter = [UInt8]("a/#".utf8)
    let options = MQTTSubscribeOptions(
      qos: .atLeastOnce, noLocal: true, retainAsPublished: true, retainHandling: .doNotSend)
    let subscription = try harness.client.subscribe(
      filter: filter.span, options: options, subscriptionID: 200)
    harness.connectV5()
    #expect(harness.take() == packet(0x82, [0, 1, 3, 0x0B, 0xC8, 1, 0, 3] + filter + [0b10_1101]))
    harness.feed([0x90, 4, 0, 1, 0, 1])
    harness.client.unsubscribe(subscription)
    #expect(harness.take() == packet(0xA2, [0, 2, 0, 0, 3] + filter))
    harness.feed([0xB0, 4, 0, 2, 0, 0x11])
    #expect(harness.seen == [.subscribed(0, .atLeastOnce), .unsubscribed(0, .noSubscriptionExisted)])
    try harness.subscribe("x")
    harness.feed([0x90, 4, 0, 3, 0, 0x87])
    #expect(harness.seen.last == .subscriptionRefused(0, .notAuthorized))
  }

  @Test(
    "[MQTT5-3.8.3-4] [MQTT5-4.8.2-1] [MQTT5-4.8.2-2] Shared subscriptions that no server could take are refused"
  )
  func shared() throws {
    let harness = try harnessV5()
    for filter in ["$share/", "$share/g", "$share/g/", "$share//a", "$share/g+/a", "$share/#/a"] {
      #expect(throws: MQTTSubscribeError.invalidFilter(.invalidFilter)) { try harness.subscribe(filter) }
    }
    let filter = [UInt8]("$share/g/a/#".utf8)
    #expect(throws: MQTTSubscribeError.invalidOptions) {
      try harness.client.subscribe(
        filter: filter.span, options: MQTTSubscribeOptions(qos: .atMostOnce, noLocal: true))
    }
    #expect(throws: MQTTSubscribeError.invalidOptions) {
      try harness.client.subscribe(
        filter: filter.span, options: MQTTSubscribeOptions(qos: .atMostOnce), subscriptionID: 0)
    }
    try harness.subscribe("$share/g/a/#")
  }

  @Test("[MQTT5-3.14.1-1] [MQTT5-3.14.4-1] [MQTT5-3.14.4-2] DISCONNECT is short, or says why")
  func disconnecting() throws {
    for (reason, list, expected): (MQTTReasonCode, [UInt8], [UInt8]) in [
      (.normalDisconnection, [], [0xE0, 0]), (.disconnectWithWillMessage, [], [0xE0, 1, 4]),
      (.normalDisconnection, number(.sessionExpiryInterval, 5), [0xE0, 7, 0, 5, 0x11, 0, 0, 0, 5]),
    ] {
      let harness = try harnessV5 { $0.sessionExpiry = 60 }
      harness.connectV5()
      harness.client.disconnect(now: harness.now, reason: reason, properties: list.span)
      #expect(harness.takeAll() == expected && harness.client.transportRequest == .close)
    }
  }

  @Test("[MQTT5-3.14.2-2] [MQTT5-3.14.2-3] [MQTT5-3.14.2-4] DISCONNECT leaves out what it may not carry")
  func disconnectingShort() throws {
    let long = text(.reasonString, String(repeating: "x", count: 40))
    for list in [number(.sessionExpiryInterval, 5), long, number(.receiveMaximum, 5), [99]] {
      let harness = try harnessV5()
      harness.connectV5(number(.maximumPacketSize, 40))
      harness.client.disconnect(now: harness.now, reason: .unspecifiedError, properties: list.span)
      #expect(harness.takeAll() == [0xE0, 1, 0x80])
    }
  }

  @Test("[MQTT5-3.3.4-6] [MQTT5-3.3.2-14] What a client may not say of a message is refused at once")
  func ownProperties() throws {
    let harness = try harnessV5()
    harness.connectV5()
    let cases: [[UInt8]] = [
      number(.topicAlias, 1), number(.subscriptionIdentifier, 1), number(.receiveMaximum, 1), [0x01],
      text(.responseTopic, "a/#"), number(.payloadFormatIndicator, 1) + number(.payloadFormatIndicator, 1),
      [99],
    ]
    for list in cases {
      #expect(throws: MQTTPublishError.invalidProperties) { try harness.publish("t", [], properties: list) }
    }
    #expect(!harness.client.hasOutput)
  }
}
