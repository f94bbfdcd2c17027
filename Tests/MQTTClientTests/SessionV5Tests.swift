import MQTTClient
import MQTTCodec
import Testing

@Suite("Sessions of 5.0, byte by byte")
struct SessionV5Tests {
  private func kept() throws -> Harness {
    let harness = try harnessV5 { $0.sessionExpiry = 3_600 }
    harness.connectV5()
    return harness
  }

  @Test(
    "[MQTT5-3.1.2-23] [MQTT5-4.1.0-1] [MQTT5-3.3.1-1] [MQTT5-4.3.2-3] [MQTT5-4.3.3-6] [MQTT5-4.3.3-7] [MQTT5-4.3.3-13] [MQTT5-4.4.0-2] [MQTT5-4.6.0-1] [MQTT5-4.6.0-4] What is not settled goes out again in its order, with DUP and its properties; what was refused does not"
  )
  func resumed() throws {
    let harness = try kept()
    let expiry = number(.messageExpiryInterval, 1)
    for number in UInt8(1)...5 {
      let qos = number % 2 == 0 ? QoS.exactlyOnce : .atLeastOnce
      _ = try harness.publish("t", [number], qos: qos, properties: expiry)
    }
    _ = harness.takeAll()
    harness.feed([0x40, 3, 0, 1, 0x97, 0x50, 2, 0, 2, 0x50, 3, 0, 4, 0x87])
    harness.now += 10_000
    for _ in 1...2 {
      harness.lose()
      harness.connectV5(sessionPresent: true)
      let expected =
        [0x62, 2, 0, 2] + publishV5("t", [3], qos: 1, packetID: 3, flags: 8, expiry)
        + publishV5("t", [5], qos: 1, packetID: 5, flags: 8, expiry)
      #expect(harness.take() == expected)
    }
    harness.feed([0x70, 2, 0, 2, 0x40, 2, 0, 5, 0x40, 2, 0, 3])
    #expect(harness.seen == [.published(2), .published(5), .published(3)])
  }

  @Test(
    "[MQTT5-3.3.4-1] [MQTT5-4.3.2-5] [MQTT5-4.3.3-12] What comes with an identifier whose flow is over is a new message"
  )
  func reusedIdentifiers() throws {
    let harness = try kept()
    let once = publishV5("a", [1], qos: 1, packetID: 7)
    let twice = publishV5("b", [2], qos: 2, packetID: 8)
    for _ in 1...3 { harness.feed(once + twice + [0x62, 2, 0, 8]) }
    let messages: [Seen] = [.message("a", [1], .atLeastOnce), .message("b", [2], .exactlyOnce)]
    #expect(harness.seen == messages + messages + messages)
    let answers: [UInt8] = [0x40, 2, 0, 7, 0x50, 2, 0, 8, 0x70, 2, 0, 8]
    #expect(harness.take() == answers + answers + answers)
  }

  @Test("[MQTT5-4.3.3-5] A PUBREL goes out on every connection until PUBCOMP has come")
  func persistentRelease() throws {
    let harness = try kept()
    _ = try harness.publish("t", [1], qos: .exactlyOnce)
    _ = harness.takeAll()
    harness.feed([0x50, 2, 0, 1])
    #expect(harness.takeAll() == [0x62, 2, 0, 1])
    for _ in 1...3 {
      harness.client.transportClosed(now: harness.now)
      harness.pull()
      harness.waitForOpen()
      harness.connectV5(sessionPresent: true)
      #expect(harness.takeAll() == [0x62, 2, 0, 1] && harness.seen.isEmpty)
    }
    harness.feed([0x70, 2, 0, 1])
    #expect(harness.seen == [.published(1)])
  }

  @Test("[MQTT5-4.4.0-1] Nothing is sent again while the connection stands, however long it takes")
  func notResent() throws {
    let harness = try harnessV5 { $0.acknowledgementTimeout = 0 }
    harness.connectV5()
    _ = try harness.publish("t", [1], qos: .atLeastOnce)
    _ = try harness.publish("t", [2], qos: .exactlyOnce)
    _ = harness.takeAll()
    for _ in 0..<100 {
      harness.now = try #require(harness.client.nextDeadline)
      harness.client.advance(to: harness.now)
      #expect(harness.takeAll() == [0xC0, 0])
      harness.feed([0xD0, 0])
    }
  }

  @Test(
    "[MQTT5-3.3.1-2] [MQTT5-4.3.1-1] [MQTT5-4.3.2-2] [MQTT5-3.6.1-1] What is new goes out without DUP, PUBREL with its flags"
  )
  func fresh() throws {
    let harness = try kept()
    for qos in [QoS.atMostOnce, .atLeastOnce, .exactlyOnce] { _ = try harness.publish("t", [], qos: qos) }
    #expect(
      harness.take() == publishV5("t", []) + publishV5("t", [], qos: 1, packetID: 1)
        + publishV5("t", [], qos: 2, packetID: 2))
    harness.feed([0x50, 2, 0, 2])
    #expect(harness.take() == [0x62, 2, 0, 2])
    harness.feed([0x60, 2, 0, 2])
    _ = harness.takeLast()
    #expect(harness.seen == [.disconnected(.malformed(.reservedFlags))])
  }

  @Test(
    "[MQTT5-4.3.2-4] [MQTT5-4.3.3-8] [MQTT5-4.3.3-10] [MQTT5-4.5.0-2] [MQTT5-4.6.0-2] [MQTT5-4.6.0-3] [MQTT5-3.4.2-2] [MQTT5-3.4.2-3] [MQTT5-3.5.2-2] [MQTT5-3.5.2-3] [MQTT5-3.6.2-2] [MQTT5-3.6.2-3] [MQTT5-3.7.2-2] [MQTT5-3.7.2-3] Everything is acknowledged in the order it came, with nothing that could be too long"
  )
  func acknowledged() throws {
    let harness = try harnessV5 { $0.receiveCapacity = 64 }
    harness.connectV5()
    let long = [UInt8](repeating: 1, count: 100)
    harness.feed(
      publishV5("a", [1], qos: 2, packetID: 9) + publishV5("b", [2], qos: 1, packetID: 8)
        + publishV5("c", long, qos: 1, packetID: 7) + publishV5("a", [1], qos: 2, packetID: 9, flags: 8)
        + publishV5("d", [4], qos: 2, packetID: 6) + [0x62, 2, 0, 9])
    #expect(
      harness.seen == [
        .message("a", [1], .exactlyOnce), .message("b", [2], .atLeastOnce), .oversized("c", 100),
        .message("d", [4], .exactlyOnce),
      ])
    #expect(
      harness.take() == [
        0x50, 2, 0, 9, 0x40, 2, 0, 8, 0x40, 2, 0, 7, 0x50, 2, 0, 9, 0x50, 2, 0, 6, 0x70, 2, 0, 9,
      ])
  }

  @Test(
    "[MQTT5-3.1.2-20] [MQTT5-3.1.2-22] A silent connection is asked for a sign of life, and given up in time")
  func keepAlive() throws {
    let harness = try harnessV5 { $0.keepAlive = 10 }
    harness.connectV5()
    let begin = harness.now
    harness.now = try #require(harness.client.nextDeadline)
    harness.client.advance(to: harness.now)
    #expect(harness.takeAll() == [0xC0, 0] && harness.now - begin < 10_000)
    harness.now = try #require(harness.client.nextDeadline)
    harness.client.advance(to: harness.now)
    harness.pull()
    #expect(harness.seen == [.disconnected(.keepAliveTimeout)] && harness.now - begin <= 15_000)
  }

  @Test(
    "[MQTT5-2.2.1-6] [MQTT5-3.8.4-2] [MQTT5-3.10.4-3] Answers to nothing are ignored, late messages are delivered"
  )
  func strayAnswers() throws {
    let harness = try harnessV5()
    let filter = try harness.subscribe("a", .atLeastOnce)
    harness.connectV5()
    harness.feed([0x90, 4, 0, 9, 0, 1, 0xB0, 4, 0, 1, 0, 0])
    #expect(harness.seen.isEmpty)
    harness.feed([0x90, 4, 0, 1, 0, 1])
    harness.client.unsubscribe(filter)
    _ = harness.takeAll()
    harness.feed(publishV5("a", [1], qos: 1, packetID: 3) + [0xB0, 4, 0, 2, 0, 0])
    #expect(
      harness.seen == [
        .subscribed(0, .atLeastOnce), .message("a", [1], .atLeastOnce), .unsubscribed(0, .success),
      ])
    #expect(harness.take() == [0x40, 2, 0, 3])
  }

  @Test(
    "[MQTT5-1.5.4-1] [MQTT5-1.5.4-2] [MQTT5-3.3.2-1] [MQTT5-3.3.2-13] [MQTT5-3.3.2-19] [MQTT5-3.8.3-2] [MQTT5-3.10.3-1] [MQTT5-3.10.3-2] [MQTT5-4.7.0-1] [MQTT5-4.7.1-1] [MQTT5-4.7.1-2] [MQTT5-4.7.3-1] [MQTT5-4.7.3-2] [MQTT5-4.7.3-3] Texts that may not be sent are refused"
  )
  func texts() throws {
    let harness = try harnessV5()
    harness.connectV5()
    let long = String(repeating: "x", count: 65_536)
    for topic in ["", "a/+", "#", "a\0", long] {
      #expect(throws: MQTTPublishError.self) { try harness.publish(topic, []) }
    }
    for filter in ["", "a#", "#/a", "a+/b", "a\0", long] {
      #expect(throws: MQTTSubscribeError.self) { try harness.subscribe(filter) }
    }
    let surrogate: [UInt8] = [0xED, 0xA0, 0x80]
    #expect(throws: MQTTPublishError.self) {
      try harness.client.publish(topic: surrogate.span, payload: surrogate.span)
    }
    #expect(throws: MQTTSubscribeError.self) { try harness.client.subscribe(filter: surrogate.span) }
    for id in [PropertyID.responseTopic, .contentType] {
      let list = [id.rawValue, 0, 3] + surrogate
      #expect(throws: MQTTPublishError.invalidProperties) { try harness.publish("t", [], properties: list) }
    }
    #expect(!harness.client.hasOutput)
  }

  @Test(
    "[MQTT5-3.1.2-3] [MQTT5-3.1.2-6] [MQTT5-3.1.2-13] [MQTT5-3.1.2-17] [MQTT5-3.1.2-19] CONNECT's flags say what is there",
    arguments: 0..<16)
  func connectFlags(_ kind: Int) throws {
    let harness = try harnessV5 { options in
      if kind & 1 != 0 {
        options.will = MQTTWill(topic: "w", payload: [1], qos: .atLeastOnce, retain: kind & 2 != 0)
      }
      if kind & 4 != 0 { options.username = "u" }
      if kind & 8 != 0 { options.password = [7] }
    }
    let packet = harness.open()
    let connect = try Connect.decode([UInt8](packet[2...]).span)
    #expect(packet[9] & 1 == 0 && connect.version == .v5)
    #expect((connect.will != nil) == (kind & 1 != 0) && connect.will?.retain ?? false == (kind & 3 == 3))
    #expect((connect.username != nil) == (kind & 4 != 0) && (connect.password != nil) == (kind & 8 != 0))
  }

  @Test("[MQTT5-3.1.2-26] [MQTT5-3.1.2-27] An alias that we did not allow ends the connection")
  func aliasNotAllowed() throws {
    for maximum in UInt16(0)...2 {
      let harness = try harnessV5 { $0.topicAliasMaximum = maximum }
      harness.connectV5()
      harness.feed(publishV5("t", [], number(.topicAlias, UInt32(maximum) + 1)))
      #expect(harness.takeLast() == [0xE0, 1, 0x94])
      #expect(harness.seen == [.disconnected(.violation(.topicAliasInvalid))])
    }
  }

  @Test(
    "[MQTT5-4.12.0-6] [MQTT5-4.12.0-7] [MQTT5-3.15.2-2] [MQTT5-3.15.2-3] Without a method there is no AUTH from either side"
  )
  func noAuthentication() throws {
    let harness = try harnessV5()
    harness.connectV5()
    #expect(!harness.client.reauthenticate() && !harness.client.hasOutput)
    let method = text(.authenticationMethod, "X")
    harness.feed(packet(0xF0, [0x18, UInt8(method.count)] + method))
    _ = harness.takeLast()
    #expect(harness.seen == [.disconnected(.violation(.protocolError))])
  }
}
