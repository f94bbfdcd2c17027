import MQTTClient
import Testing

@Suite("Conversations, byte by byte")
struct ConversationTests {
  private let connect: [UInt8] = [0x10, 15, 0, 4, 77, 81, 84, 84, 4, 2, 0, 60, 0, 3] + [UInt8]("dev".utf8)

  @Test("[MQTT-3.1.0-1] [MQTT-3.1.0-2] [MQTT-3.1.3-2] The first packet of a connection is one CONNECT")
  func connecting() throws {
    let harness = try Harness()
    #expect(harness.client.transportRequest == .none)
    harness.client.start(now: harness.now)
    #expect(harness.client.transportRequest == .open)
    #expect(!harness.client.hasOutput)
    harness.client.transportOpened(now: harness.now)
    #expect(harness.client.transportRequest == .none)
    #expect(harness.takeAll() == connect)
    #expect(!harness.client.isConnected)
    harness.feed([0x20, 2, 0, 0])
    #expect(harness.seen == [.connected(false)])
    #expect(harness.client.isConnected && harness.client.counters.connections == 1)
    #expect(!harness.client.hasOutput)
  }

  @Test(
    "[MQTT-3.1.2-9] [MQTT-3.1.2-19] [MQTT-3.1.2-21] CONNECT carries will, user name, password and a kept session"
  )
  func connectOptions() throws {
    let harness = try Harness { options in
      options.cleanSession = false
      options.keepAlive = 300
      options.username = "u"
      options.password = [0, 255]
      options.will = MQTTWill(topic: "w", payload: [7], qos: .atLeastOnce, retain: true)
    }
    harness.client.start(now: 0)
    harness.client.transportOpened(now: 0)
    let body: [UInt8] =
      [0, 4, 77, 81, 84, 84, 4, 0b1110_1100, 1, 44, 0, 3] + [UInt8]("dev".utf8)
      + [0, 1, 119, 0, 1, 7, 0, 1, 117, 0, 2, 0, 255]
    #expect(harness.takeAll() == [0x10, UInt8(body.count)] + body)
  }

  @Test("[MQTT-4.3.1-1] A QoS 0 message is written once, without a packet identifier")
  func publishAtMostOnce() throws {
    let harness = try Harness()
    harness.connect()
    #expect(try harness.publish("a/b", [1, 2]) == 0)
    #expect(try harness.publish("c", [], retain: true) == 0)
    #expect(harness.take() == [0x30, 7, 0, 3, 97, 47, 98, 1, 2, 0x31, 3, 0, 1, 99])
    #expect(!harness.client.hasOutput)
    #expect(harness.client.counters.sent == 2)
  }

  @Test(
    "[MQTT-2.3.1-1] [MQTT-2.3.1-2] [MQTT-4.3.2-1] QoS 1 messages count from packet identifier 1 and are told of"
  )
  func publishAtLeastOnce() throws {
    let harness = try Harness()
    harness.connect()
    #expect(try harness.publish("t", [9], qos: .atLeastOnce) == 1)
    #expect(try harness.publish("t", [8], qos: .atLeastOnce, retain: true) == 2)
    #expect(harness.take() == [0x32, 6, 0, 1, 116, 0, 1, 9, 0x33, 6, 0, 1, 116, 0, 2, 8])
    harness.feed([0x40, 2, 0, 2, 0x40, 2, 0, 1])
    #expect(harness.seen == [.published(2), .published(1)])
    #expect(try harness.publish("t", [7], qos: .atLeastOnce) == 3)
  }

  @Test("Acknowledgements of what is not in flight are ignored")
  func strayAcknowledgement() throws {
    let harness = try Harness()
    harness.connect()
    _ = try harness.publish("t", [9], qos: .atLeastOnce)
    _ = harness.takeAll()
    harness.feed([0x40, 2, 0, 9, 0x40, 2, 1, 1, 0x40, 2, 0, 1, 0x40, 2, 0, 1])
    #expect(harness.seen == [.published(1)])
    #expect(harness.client.isConnected)
  }

  @Test("[MQTT-4.3.2-2] [MQTT-3.3.4-1] A QoS 1 message is acknowledged only after its handler ran")
  func acknowledgedAfterwards() throws {
    let harness = try Harness()
    harness.connect()
    let packet = publishPacket("t", [5], qos: 1, packetID: 0x1234)
    _ = harness.client.receive(packet.span, now: harness.now)
    let event = try #require(harness.client.nextEvent(now: harness.now))
    #expect(harness.describe(event) == .message("t", [5], .atLeastOnce))
    #expect(!harness.client.hasOutput)
    #expect(harness.client.nextEvent(now: harness.now) == nil)
    #expect(harness.take() == [0x40, 2, 0x12, 0x34])
  }

  @Test("[MQTT-4.6.0-2] Messages are acknowledged in the order they came, QoS 0 is not")
  func acknowledgedInOrder() throws {
    let harness = try Harness()
    harness.connect()
    harness.feed(
      publishPacket("a", [1], qos: 1, packetID: 3) + publishPacket("b", [2])
        + publishPacket("c", [], qos: 1, packetID: 2, flags: 9))
    #expect(
      harness.seen == [
        .message("a", [1], .atLeastOnce), .message("b", [2]),
        .message("c", [], .atLeastOnce, retain: true, duplicate: true),
      ])
    #expect(harness.take() == [0x40, 2, 0, 3, 0x40, 2, 0, 2])
    #expect(harness.client.counters.received == 3)
  }

  @Test("A handler may publish: its messages and the acknowledgement go out together")
  func publishingHandler() throws {
    let harness = try Harness()
    harness.onMessage = { client, topic in
      let state = [UInt8]((topic + "/state").utf8)
      do {
        try client.publish(topic: state.span, payload: [1].span, qos: .atMostOnce)
        try client.publish(topic: state.span, payload: [2].span, qos: .atLeastOnce)
      } catch {
        Issue.record(error)
      }
    }
    harness.connect()
    harness.feed(publishPacket("x", [0], qos: 1, packetID: 4))
    let expected =
      publishPacket("x/state", [1]) + publishPacket("x/state", [2], qos: 1, packetID: 1) + [0x40, 2, 0, 4]
    #expect(harness.take() == expected)
  }

  @Test("[MQTT-3.8.1-1] [MQTT-3.8.4-2] Subscriptions are made on connecting and answered one by one")
  func subscribing() throws {
    let harness = try Harness()
    try harness.subscribe("a/#", .atLeastOnce)
    try harness.subscribe("b")
    harness.connect()
    #expect(harness.take() == [0x82, 8, 0, 1, 0, 3, 97, 47, 35, 1, 0x82, 6, 0, 2, 0, 1, 98, 0])
    harness.feed([0x90, 3, 0, 2, 0x80, 0x90, 3, 0, 1, 1])
    #expect(harness.seen == [.subscriptionRefused(1, .unspecifiedError), .subscribed(0, .atLeastOnce)])
    #expect(harness.takeAll().isEmpty)
    try harness.subscribe("c")
    #expect(harness.take() == [0x82, 6, 0, 3, 0, 1, 99, 0])
  }

  @Test("Output that is taken in pieces of any size is the same output")
  func partialWrites() throws {
    for size in 1...20 {
      let harness = try Harness()
      harness.connect()
      var expected: [UInt8] = []
      var taken: [UInt8] = []
      for number in UInt8(0)..<20 {
        _ = try harness.publish("topic", [number], qos: number % 2 == 0 ? .atMostOnce : .atLeastOnce)
        expected +=
          number % 2 == 0
          ? publishPacket("topic", [number])
          : publishPacket("topic", [number], qos: 1, packetID: UInt16(number / 2 + 1))
        harness.client.withOutput { span in
          taken += array(span).prefix(size)
          return min(size, span.count)
        }
      }
      #expect(taken + harness.takeAll() == expected)
    }
  }

  @Test("[MQTT-3.14.4-1] [MQTT-3.14.4-2] DISCONNECT is the last packet, and then the connection is closed")
  func disconnecting() throws {
    let harness = try Harness()
    harness.connect()
    _ = try harness.publish("t", [])
    harness.client.disconnect(now: harness.now)
    #expect(throws: MQTTPublishError.notConnected) { try harness.publish("t", []) }
    #expect(harness.client.transportRequest == .none)
    #expect(harness.takeAll() == [0x30, 3, 0, 1, 116, 0xE0, 0])
    #expect(harness.client.transportRequest == .close)
    harness.client.transportClosed(now: harness.now)
    harness.pull()
    #expect(harness.seen == [.disconnected(.requested)])
    #expect(harness.client.transportRequest == .none && harness.client.nextDeadline == nil)
    harness.client.start(now: harness.now)
    #expect(harness.client.transportRequest == .open)
  }

  @Test(
    "[MQTT-3.14.4-1] DISCONNECT finds room when the server reads nothing and has sent all that we could answer",
    arguments: [MQTTVersion.v3_1_1, .v5])
  func goodbyeWhenFull(version: MQTTVersion) throws {
    let harness = try Harness {
      $0.version = version
      $0.sendCapacity = 256
    }
    if version == .v5 { harness.connectV5() } else { harness.connect() }
    #expect(throws: MQTTPublishError.outputFull) { while true { _ = try harness.publish("t", [1, 2, 3]) } }
    for packetID in UInt16(1)...40 {
      harness.feed(
        version == .v5
          ? publishV5("t", [], qos: 1, packetID: packetID)
          : publishPacket("t", [], qos: 1, packetID: packetID))
    }
    #expect(harness.seen.count < 40)
    harness.client.disconnect(now: harness.now)
    #expect(harness.takeAll().suffix(2) == [0xE0, 0])
  }

  @Test("A clean close does not wait for ever for a server that reads nothing")
  func disconnectingFromDeafServer() throws {
    let harness = try Harness()
    harness.connect()
    harness.client.disconnect(now: harness.now)
    let deadline = try #require(harness.client.nextDeadline)
    #expect(deadline <= harness.now + 5_000)
    harness.client.advance(to: deadline)
    #expect(harness.client.transportRequest == .close)
  }
}
