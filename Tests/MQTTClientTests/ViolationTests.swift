import MQTTClient
import MQTTCodec
import Testing

@Suite("Servers of 5.0 that break the rules")
struct ViolationTests {
  static let cases: [([UInt8], MQTTDisconnectReason, UInt8)] = [
    ([0x36, 0], .malformed(.invalidQoS), 0x81),
    ([0x30, 3, 0, 1, 97], .malformed(.truncated), 0x81),
    ([0x30, 4, 0, 1, 35, 0], .malformed(.wildcardInTopic), 0x90),
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
    #expect(harness.seen == [.message("fine", [1]), .disconnected(reason)])
    #expect(!harness.client.isConnected && harness.client.transportRequest == .none)
    #expect(harness.takeAll() == publishV5("t", [1]) + [0xE0, 1, code])
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
    harness.client.advance(to: harness.now)
    #expect(harness.client.transportRequest == .close)
    harness.client.transportClosed(now: harness.now)
    #expect(!harness.client.hasOutput)
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

  @Test("[MQTT5-3.3.4-9] A server that sends more than we take is closed with the reason")
  func receiveMaximumExceeded() throws {
    let harness = try harnessV5 { $0.receiveMaximum = 2 }
    harness.connectV5()
    harness.feed(
      publishV5("t", [1], qos: 2, packetID: 1) + publishV5("t", [2], qos: 2, packetID: 2) + [0x62, 2, 0, 1])
    harness.feed(publishV5("t", [3], qos: 2, packetID: 3) + publishV5("t", [4], qos: 1, packetID: 4))
    #expect(harness.seen.count == 4 && harness.client.isConnected)
    _ = harness.takeAll()
    harness.feed(publishV5("t", [5], qos: 2, packetID: 5))
    #expect(harness.seen.last == .disconnected(.violation(.receiveMaximumExceeded)))
    #expect(harness.takeAll() == [0xE0, 1, 0x93])
  }

  @Test("[MQTT5-3.1.2-24] A packet longer than what we announced ends the connection, whatever it is")
  func packetTooLarge() throws {
    let harness = try harnessV5 { $0.maximumPacketSize = 100 }
    harness.connectV5()
    harness.feed(publishV5("t", [UInt8](repeating: 0, count: 94)))
    #expect(harness.seen.count == 1 && harness.client.isConnected)
    harness.feed(publishV5("t", [UInt8](repeating: 0, count: 95)))
    #expect(harness.seen.last == .disconnected(.violation(.packetTooLarge)))
    #expect(harness.takeAll() == [0xE0, 1, 0x95])
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
