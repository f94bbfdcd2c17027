import MQTTClient
import MQTTCodec
import TestNumbers
import Testing

@Suite("Malformed and unexpected input")
struct MalformedTests {
  static let cases: [([UInt8], MQTTDisconnectReason)] = [
    ([0x00], .malformed(.reservedType)),
    ([0xF0], .unexpectedPacket(15)),
    ([0x36], .malformed(.invalidQoS)),
    ([0x38], .malformed(.duplicateAtMostOnce)),
    ([0x41], .malformed(.reservedFlags)),
    ([0x30, 0xFF, 0xFF, 0xFF, 0xFF], .malformed(.lengthTooLong)),
    ([0x30, 0], .malformed(.truncated)),
    ([0x30, 2, 0, 0], .malformed(.emptyTopic)),
    ([0x30, 4, 0, 2, 0xC3, 0x28], .malformed(.invalidString)),
    ([0x30, 3, 0, 1, 0], .malformed(.invalidString)),
    ([0x30, 5, 0, 3, 0xED, 0xA0, 0x80], .malformed(.invalidString)),
    ([0x30, 4, 0, 2, 97, 35], .malformed(.wildcardInTopic)),
    ([0x30, 3, 0, 1, 43], .malformed(.wildcardInTopic)),
    ([0x30, 3, 0, 9, 97], .malformed(.truncated)),
    ([0x32, 5, 0, 1, 97, 0, 0], .malformed(.zeroPacketID)),
    ([0x34, 5, 0, 1, 97, 0, 0], .malformed(.zeroPacketID)),
    ([0x50, 3], .malformed(.wrongLength)),
    ([0x60], .malformed(.reservedFlags)),
    ([0x62, 2, 0, 0], .malformed(.zeroPacketID)),
    ([0x70, 0], .malformed(.wrongLength)),
    ([0xB0, 3], .malformed(.wrongLength)),
    ([0x40, 2, 0, 0], .malformed(.zeroPacketID)),
    ([0x40, 3], .malformed(.wrongLength)),
    ([0x40, 0xFF, 0xFF, 0xFF, 0x7F], .malformed(.wrongLength)),
    ([0x90, 2, 0, 1], .malformed(.emptyList)),
    ([0x90, 3, 0, 1, 3], .malformed(.reservedCode)),
    ([0x90, 4, 0, 1, 0, 0], .malformed(.wrongCount)),
    ([0x90, 0xFF, 0xFF, 0xFF, 0x7F], .packetTooLarge(9)),
    ([0xD0, 1], .malformed(.wrongLength)),
    ([0x20, 2, 0, 0], .unexpectedPacket(2)),
    ([0x10], .unexpectedPacket(1)),
    ([0x82, 0], .unexpectedPacket(8)),
    ([0xA2, 0], .unexpectedPacket(10)),
    ([0xC0, 0], .unexpectedPacket(12)),
    ([0xE0, 0], .unexpectedPacket(14)),
  ]

  @Test(
    "[MQTT-4.8.0-1] [MQTT-3.3.1-4] [MQTT-2.2.2-2] [MQTT-1.5.3-1] [MQTT-1.5.3-2] [MQTT-3.3.2-2] The connection is closed with the reason and opened again",
    arguments: cases)
  func malformed(_ bytes: [UInt8], _ reason: MQTTDisconnectReason) throws {
    let harness = try Harness()
    try harness.subscribe("a")
    harness.connect()
    _ = harness.takeAll()
    // A header alone is enough where it says all; else the packet is given in one piece.
    let padding = bytes.count == 1 ? [0] : [UInt8]()
    harness.feed(publishPacket("fine", [1]) + bytes + padding)
    #expect(harness.seen == [.message("fine", [1]), .disconnected(reason)])
    #expect(harness.client.transportRequest == .close)
    #expect(!harness.client.hasOutput)
    #expect(harness.client.nextEvent(now: harness.now) == nil)
    harness.client.transportClosed(now: harness.now)
    #expect(harness.client.transportRequest == .none)
    harness.waitForOpen()
    #expect(harness.client.transportRequest == .open)
  }

  @Test(
    "[MQTT-3.2.0-1] [MQTT-3.2.2-4] Nothing but a valid CONNACK is accepted first",
    arguments: [
      ([0x30, 3, 0, 1, 97], .unexpectedPacket(3)), ([0xD0, 0], .unexpectedPacket(13)),
      ([0x20, 2, 1, 5], .malformed(.contradictoryFlags)), ([0x20, 2, 2, 0], .malformed(.contradictoryFlags)),
      ([0x20, 2, 0, 6], .malformed(.reservedCode)), ([0x20, 3], .malformed(.wrongLength)),
      ([0x48, 0x54, 0x54, 0x50], .malformed(.reservedFlags)),
    ] as [([UInt8], MQTTDisconnectReason)])
  func beforeConnack(_ bytes: [UInt8], _ reason: MQTTDisconnectReason) throws {
    let harness = try Harness()
    harness.client.start(now: 0)
    harness.client.transportOpened(now: 0)
    harness.feed(bytes)
    #expect(harness.seen == [.failed(reason)])
    #expect(harness.client.transportRequest == .close)
  }

  @Test(
    "Random bytes never crash, hang or grow the client: 200,000 streams",
    arguments: [ProtocolVersion.v3_1_1, .v5])
  func garbage(_ version: ProtocolVersion) throws {
    var random = SplitMix(state: 99)
    let harness = try Harness { options in
      options.receiveCapacity = 64
      options.version = version
      options.topicAliasMaximum = 2
    }
    try harness.subscribe("a/#", .atLeastOnce)
    var closed = 0
    for round in 0..<200_000 {
      if round % 3 == 0 || !harness.client.isConnected { reopen(harness) }
      let bytes = version == .v5 ? streamV5(round, &random) : stream(round, &random)
      _ = bytes.withUnsafeBufferPointer { harness.client.receive($0.span, now: harness.now) }
      var events = 0
      while harness.client.nextEvent(now: harness.now) != nil { events += 1 }
      if events > bytes.count + 2 { Issue.record("\(events) events from \(bytes)") }
      harness.client.withOutput { $0.count }
      if harness.client.transportRequest == .close { closed += 1 }
    }
    // Fewer than there are mistakes: on the connection after one that a mistake has ended they are put up with.
    #expect(closed > 40_000)
  }

  private func stream(_ round: Int, _ random: inout SplitMix) -> [UInt8] {
    let valid: [[UInt8]] = [
      publishPacket("a/b", [1, 2, 3]), publishPacket("a/c", [4], qos: 1, packetID: 7), [0x40, 2, 0, 1],
      [0xD0, 0], [0x90, 3, 0, 1, 1], publishPacket("a/long", [UInt8](repeating: 0, count: 80)),
    ]
    return damaged(valid, round, &random)
  }

  private func streamV5(_ round: Int, _ random: inout SplitMix) -> [UInt8] {
    let list = text(.contentType, "x") + number(.topicAlias, 1)
    let valid: [[UInt8]] = [
      publishV5("a/b", [1, 2, 3], list), publishV5("", [4], qos: 2, packetID: 7, list), [0x50, 3, 0, 1, 0],
      [0x40, 4, 0, 1, 0x10, 0], [0x90, 4, 0, 1, 0, 1],
      publishV5("a/long", [UInt8](repeating: 0, count: 80), list),
      [0x62, 2, 0, 7], packet(0xE0, [0x8B, 4] + text(.reasonString, "x")), [0xF0, 2, 0x18, 0],
    ]
    return damaged(valid, round, &random)
  }

  private func damaged(_ valid: [[UInt8]], _ round: Int, _ random: inout SplitMix) -> [UInt8] {
    guard round % 4 != 0 else {
      let word = random.next()
      return (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
    var bytes = valid[Int(random.next() % UInt64(valid.count))]
    let word = random.next()
    if word & 3 != 0 { bytes[Int(word >> 8) % bytes.count] = UInt8(truncatingIfNeeded: word >> 40) }
    return bytes
  }

  private func reopen(_ harness: Harness) {
    harness.client.transportClosed(now: harness.now)
    harness.client.start(now: harness.now)
    harness.waitForOpen()
    harness.client.transportOpened(now: harness.now)
    harness.client.withOutput { $0.count }
    let accepted: [UInt8] = harness.client.protocolVersion == .v5 ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0]
    _ = harness.client.receive(accepted.span, now: harness.now)
    while harness.client.nextEvent(now: harness.now) != nil {}
  }
}
