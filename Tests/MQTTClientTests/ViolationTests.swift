import MQTTClient
import MQTTCodec
import Testing

@Suite("Servers of 5.0 that break the rules")
struct ViolationTests {
  static let cases: [([UInt8], MQTTDisconnectReason, UInt8)] = [
    ([0x36, 0], .malformed(.invalidQoS), 0x81),
    ([0x30, 3, 0, 1, 97], .malformed(.truncated), 0x81),
    ([0x30, 4, 0, 1, 35, 0], .malformed(.wildcardInTopic), 0x82),
    (
      [0x30, 15, 0, 5, 43, 111, 112, 105, 99, 0] + [1, 2, 3, 4, 5, 6, 7], .malformed(.wildcardInTopic), 0x82
    ),
    ([0x30, 8, 0, 1, 97, 4, 8, 0, 1, 35], .malformed(.wildcardInTopic), 0x82),
    ([0x30, 7, 0, 1, 97, 3, 8, 0, 0], .malformed(.emptyTopic), 0x82),
    ([0x32, 6, 0, 1, 97, 0, 0, 0], .malformed(.zeroPacketID), 0x82),
    ([0x40, 2, 0, 0], .malformed(.zeroPacketID), 0x82),
    ([0x30, 3, 0, 0, 0], .violation(.protocolError), 0x82),
    ([0x30, 6, 0, 0, 3, 0x23, 0, 1], .violation(.topicAliasInvalid), 0x94),
    ([0x30, 7, 0, 1, 97, 3, 0x23, 0, 0], .malformed(.topicAlias), 0x94),
    ([0x30, 5, 0, 1, 97, 1, 99], .malformed(.unknownProperty), 0x81),
    ([0x30, 8, 0, 1, 97, 4, 1, 0, 1, 0], .malformed(.duplicateProperty), 0x82),
    ([0x30, 6, 0, 1, 97, 2, 1, 2], .malformed(.propertyValue), 0x82),
    ([0x30, 7, 0, 1, 97, 3, 0x21, 0, 1], .malformed(.propertyNotAllowed), 0x81),
    ([0x30, 0x84, 0, 0, 1, 97, 0], .malformed(.lengthNotMinimal), 0x81),
    ([0x40, 3, 0, 1, 0x92], .malformed(.reservedCode), 0x81),
    ([0x62, 3, 0, 1, 0x80], .malformed(.reservedCode), 0x81),
    ([0x90, 4, 0, 1, 0, 3], .malformed(.reservedCode), 0x81),
    ([0x90, 3, 0, 1, 0], .malformed(.emptyList), 0x82),
    ([0xE0, 1, 0x04, 0], .malformed(.reservedType), 0),
    ([0xF0, 0], .violation(.protocolError), 0x82),
    ([0xD0, 1, 0], .malformed(.wrongLength), 0x81),
    ([0x20, 3, 0, 0, 0], .unexpectedPacket(2), 0x82),
    ([0x82, 0], .unexpectedPacket(8), 0x82),
    ([0x90, 0xFF, 0xFF, 0xFF, 0x7F], .packetTooLarge(9), 0x95),
  ].filter { $0.2 != 0 }

  @Test(
    "[MQTT5-4.13.1-1] [MQTT5-3.14.2-1] [MQTT5-1.5.5-1] [MQTT5-2.1.3-1] [MQTT5-3.3.1-4] [MQTT5-3.3.2-2] The connection is closed with DISCONNECT and the right reason code",
    arguments: cases)
  func violations(_ bytes: [UInt8], _ reason: MQTTDisconnectReason, _ code: UInt8) throws {
    let harness = try harnessV5()
    harness.connectV5()
    _ = try harness.publish("t", [1])
    harness.feed(publishV5("fine", [1]) + bytes)
    // Whoever closes when he hears of it has said why.
    #expect(harness.seen == [.message("fine", [1])])
    #expect(!harness.client.isConnected && harness.client.transportRequest == .none)
    #expect(harness.takeLast() == publishV5("t", [1]) + [0xE0, 1, code])
    #expect(harness.seen == [.message("fine", [1]), .disconnected(reason)])
    #expect(harness.client.transportRequest == .close)
    harness.client.transportClosed(now: harness.now)
    harness.pull()
    #expect(harness.seen.count == 2)
    harness.waitForOpen()
    #expect(harness.client.transportRequest == .open)
  }

  @Test("A server that does not read its DISCONNECT is left")
  func notRead() throws {
    let harness = try harnessV5()
    harness.connectV5()
    harness.feed([0xF0, 0])
    #expect(harness.client.transportRequest == .none)
    harness.now = try #require(harness.client.nextDeadline)
    #expect(harness.seen.isEmpty)
    harness.client.advance(to: harness.now)
    harness.pull()
    #expect(harness.seen == [.disconnected(.violation(.protocolError))])
    #expect(harness.client.transportRequest == .close)
    harness.client.transportClosed(now: harness.now)
    #expect(!harness.client.hasOutput)
  }

  @Test("With 3.1.1, too, what was said before is written before the connection is closed")
  func flushed() throws {
    let harness = try Harness()
    harness.connect()
    harness.feed(publishPacket("t", [1], qos: 1, packetID: 7) + [0x82, 0])
    #expect(harness.client.transportRequest == .none && harness.seen.count == 1)
    #expect(harness.takeLast() == [0x40, 2, 0, 7])
    #expect(harness.seen.last == .disconnected(.unexpectedPacket(8)))
    #expect(harness.client.transportRequest == .close)
  }

  @Test(
    "[MQTT5-3.2.0-1] [MQTT5-3.2.2-1] [MQTT5-3.2.2-7] Nothing but a valid CONNACK is accepted first",
    arguments: [
      ([0x30, 4, 0, 1, 97, 0], .unexpectedPacket(3)), ([0x20, 3, 2, 0, 0], .malformed(.contradictoryFlags)),
      ([0x20, 3, 1, 0x87, 0], .malformed(.contradictoryFlags)), ([0x20, 2, 0, 0], .malformed(.truncated)),
      ([0x20, 3, 0, 1, 0], .malformed(.reservedCode)), ([0xE0, 1, 0x8B], .unexpectedPacket(14)),
      ([0x20, 5, 0, 0, 2, 0x24, 2], .malformed(.propertyValue)), ([0xF0, 0], .violation(.protocolError)),
    ] as [([UInt8], MQTTDisconnectReason)])
  func beforeConnack(_ bytes: [UInt8], _ reason: MQTTDisconnectReason) throws {
    let harness = try harnessV5()
    _ = harness.open()
    harness.feed(bytes)
    #expect(harness.seen == [.failed(reason)])
    #expect(harness.client.transportRequest == .close && !harness.client.hasOutput)
  }

  @Test(
    "[MQTT5-3.3.4-9] A server that sends more than we announced, and all of it again on the next connection, is answered",
    arguments: [false, true])
  func receiveMaximumExceeded(_ isPostponed: Bool) throws {
    let harness = try harnessV5 { options in
      options.receiveMaximum = 64
      options.cleanSession = false
    }
    var postponed: [MQTTPostponedAcknowledgement] = []
    harness.onMessage = { client, _ in
      if isPostponed, let one = client.postponeAcknowledgement() { postponed.append(one) }
    }
    let numbers = Array(UInt16(1)...65)
    let receipts = numbers.flatMap { (number: UInt16) -> [UInt8] in [0x50, 2, 0, UInt8(number)] }
    for connection in 0..<3 {
      harness.connectV5(sessionPresent: connection > 0)
      for number in numbers {
        let flags: UInt8 = connection == 0 ? 0 : 8
        harness.feed(publishV5("t", [UInt8(number)], qos: 2, packetID: number, flags: flags))
      }
      // Postponed ones have not been handled, so the owner has to see them again.
      #expect(harness.seen.count == (connection == 0 || isPostponed ? 65 : 0))
      if connection == 2 { for one in postponed.suffix(65) { #expect(harness.client.acknowledge(one)) } }
      #expect(harness.client.isConnected)
      #expect(harness.takeAll() == (connection == 2 || !isPostponed ? receipts : []))
      if connection < 2 { harness.lose() }
    }
  }

  @Test(
    "What a server gets wrong ends the connection once, and is passed over on the next: what it keeps for us is the same on all",
    arguments: [ProtocolVersion.v3_1_1, .v5])
  func passedOver(_ version: ProtocolVersion) throws {
    let isV5 = version == .v5
    func message(_ topic: String, _ qos: UInt8, _ packetID: UInt16 = 0) -> [UInt8] {
      isV5
        ? publishV5(topic, [7], qos: qos, packetID: packetID)
        : publishPacket(topic, [7], qos: qos, packetID: packetID)
    }
    let harness = try Harness { options in
      options.version = version
      options.cleanSession = false
    }
    let accepted: [UInt8] = isV5 ? connack(sessionPresent: true) : [0x20, 2, 1, 0]
    // Topics with wildcards, one of them of a message that has not come as a whole; a packet that makes no sense.
    let kept =
      message("#", 0) + message("+", 1, 0x0102) + message("a+", 2, 3) + [0x82, 2, 0, 1]
      + message("fine", 1, 4)
    var ends = 0
    for connection in 1...3 {
      _ = harness.open()
      harness.feed(accepted)
      harness.seen = []
      for byte in kept { harness.feed([byte]) }
      let answers = harness.takeLast()
      if connection == 1 {
        ends += 1
        #expect(harness.seen == [.disconnected(.malformed(.wildcardInTopic))])
        #expect(answers == (isV5 ? [0xE0, 1, 0x82] : []))
      } else {
        #expect(harness.seen == [.message("fine", [7], .atLeastOnce)])
        #expect(answers == [0x40, 2, 1, 2, 0x50, 2, 0, 3, 0x40, 2, 0, 4])
      }
      harness.lose()
    }
    #expect(ends == 1 && harness.client.counters.malformed == 8)
    // A connection without mistakes makes the next one strict.
    _ = harness.open()
    harness.feed(accepted)
    harness.lose()
    _ = harness.open()
    harness.feed(accepted)
    harness.seen = []
    harness.feed(message("#", 0))
    _ = harness.takeLast()
    #expect(harness.seen == [.disconnected(.malformed(.wildcardInTopic))])
  }

  @Test(
    "[MQTT-3.2.2-1] [MQTT5-3.2.2-4] A session that should be clean ends the attempt once, and is taken for a clean one after that",
    arguments: [ProtocolVersion.v3_1_1, .v5])
  func claimedSession(_ version: ProtocolVersion) throws {
    let harness = try Harness { options in
      options.version = version
      options.fallsBack = false
    }
    let claim: [UInt8] = version == .v5 ? connack(sessionPresent: true) : [0x20, 2, 1, 0]
    _ = harness.open()
    harness.feed(claim)
    #expect(
      harness.seen == [.failed(.violation(.protocolError))] && harness.client.transportRequest == .close)
    for _ in 1...2 {
      harness.lose()
      _ = harness.open()
      harness.seen = []
      harness.feed(claim)
      #expect(harness.seen == [.connected(false)])
    }
  }

  @Test("[MQTT5-3.1.2-24] A packet longer than what we announced ends the connection, whatever it is")
  func packetTooLarge() throws {
    let harness = try harnessV5 { $0.maximumPacketSize = 100 }
    harness.connectV5()
    harness.feed(publishV5("t", [UInt8](repeating: 0, count: 94)))
    #expect(harness.seen.count == 1 && harness.client.isConnected)
    harness.feed(publishV5("t", [UInt8](repeating: 0, count: 95)))
    #expect(harness.takeLast() == [0xE0, 1, 0x95])
    #expect(harness.seen.last == .disconnected(.violation(.packetTooLarge)))
  }

  @Test("[MQTT5-3.14.2-1] [MQTT5-4.13.2-1] A server that closes says why, and its words can be read")
  func serverDisconnects() throws {
    for (code, isLate): (UInt8, Bool) in [(0, false), (0x8B, false), (0x87, true), (0x98, false)] {
      let harness = try harnessV5()
      harness.connectV5()
      let words = text(.reasonString, "so long")
      _ = harness.client.receive(packet(0xE0, [code, UInt8(words.count)] + words).span, now: harness.now)
      let event = try #require(harness.client.nextEvent(now: harness.now))
      #expect(harness.describe(event) == .disconnected(.server(ReasonCode(rawValue: code))))
      #expect(harness.reasonString == "so long")
      #expect(harness.client.transportRequest == .close && !harness.client.hasOutput)
      harness.client.transportClosed(now: harness.now)
      let wait = try #require(harness.client.nextDeadline) - harness.now
      #expect(isLate ? wait >= 30_000 : wait <= 1_000)
    }
  }
}
