import MQTTClient
import Testing

@Suite("Messages longer than the receive buffer")
struct OversizedTests {
  @Test("A message that just fits is delivered, one byte more is reported and skipped")
  func boundary() throws {
    for excess in 0...1 {
      let harness = try Harness { $0.receiveCapacity = 64 }
      harness.connect()
      let payload = [UInt8](repeating: 5, count: 64 - 2 - 5 + excess)
      harness.feed(publishPacket("abc", payload) + publishPacket("next", [1]))
      let first: Seen = excess == 0 ? .message("abc", payload) : .oversized("abc", payload.count)
      #expect(harness.seen == [first, .message("next", [1])])
      #expect(harness.client.counters.oversized == UInt32(excess))
    }
  }

  @Test("A QoS 1 message that is skipped is acknowledged at its end")
  func acknowledged() throws {
    let harness = try Harness { $0.receiveCapacity = 64 }
    harness.connect()
    let packet = publishPacket("abc", [UInt8](repeating: 5, count: 500), qos: 1, packetID: 0x0102)
    harness.feed([UInt8](packet.dropLast()))
    #expect(harness.seen == [.oversized("abc", 500)])
    #expect(!harness.client.hasOutput)
    harness.feed([5])
    #expect(harness.take() == [0x40, 2, 1, 2])
  }

  @Test("The greatest message of the protocol streams through without being kept")
  func greatest() throws {
    let harness = try Harness()
    harness.connect()
    let total = 268_435_455
    harness.feed([0x32, 0xFF, 0xFF, 0xFF, 0x7F, 0, 1, 120, 0, 77])
    #expect(harness.seen == [.oversized("x", total - 5)])
    var rest = total - 5
    while rest > 0 {
      let taken = harness.client.withReceiveBuffer { min($0.count, rest) }
      rest -= taken
      if harness.client.nextEvent(now: harness.now) != nil { Issue.record("an event in the middle") }
      if taken == 0 { break }
    }
    #expect(rest == 0)
    #expect(harness.take() == [0x40, 2, 0, 77])
    harness.feed(publishPacket("fine", []))
    #expect(harness.seen.last == .message("fine", []))
  }

  @Test("A topic longer than the buffer is shown as far as it fits", arguments: [62, 63, 64, 65, 127, 5_000])
  func longTopic(_ length: Int) throws {
    for size in [1, 7, 64] {
      let harness = try Harness { $0.receiveCapacity = 64 }
      harness.connect()
      let topic = String(repeating: "t", count: length)
      let packet = publishPacket(topic, [1, 2, 3], qos: 1, packetID: 0xABCD) + publishPacket("n", [])
      for start in stride(from: 0, to: packet.count, by: size) {
        harness.feed([UInt8](packet[start..<min(start + size, packet.count)]))
      }
      guard case .oversized(let shown, 3) = try #require(harness.seen.first) else {
        Issue.record("\(harness.seen)")
        return
      }
      let fits = 64 - (packet[1] < 0x80 ? 4 : 5)
      #expect(shown == topic.prefix(fits))
      #expect(harness.seen.dropFirst() == [.message("n", [])])
      #expect(harness.take() == [0x40, 2, 0xAB, 0xCD])
    }
  }

  @Test("[MQTT-3.3.2-2] [MQTT-1.5.3-1] The rules for topics and identifiers hold for skipped messages too")
  func rules() throws {
    let cases: [([UInt8], MQTTDisconnectReason)] = [
      ([0x30, 0xFF, 0x7F, 0, 1, 43, 0], .malformed(.wildcardInTopic)),
      ([0x30, 0xFF, 0x7F, 0, 1, 0xFF, 0], .malformed(.invalidString)),
      ([0x30, 0xFF, 0x7F, 0, 0, 43, 0], .malformed(.emptyTopic)),
      ([0x30, 0xFF, 0x01, 0xFF, 0xFF], .malformed(.truncated)),
      ([0x34, 0xFF, 0x7F, 0, 1, 43, 0, 1], .malformed(.wildcardInTopic)),
    ]
    for (bytes, reason) in cases {
      let harness = try Harness { $0.receiveCapacity = 64 }
      harness.connect()
      harness.feed(bytes)
      #expect(harness.seen == [.disconnected(reason)])
    }
    let harness = try Harness { $0.receiveCapacity = 64 }
    harness.connect()
    harness.feed(publishPacket("abc", [UInt8](repeating: 5, count: 100), qos: 1, packetID: 0))
    #expect(harness.seen == [.oversized("abc", 100), .disconnected(.malformed(.zeroPacketID))])
  }

  @Test("A connection lost in the middle of a skipped message leaves nothing behind")
  func lostInTheMiddle() throws {
    let harness = try Harness { $0.receiveCapacity = 64 }
    harness.connect()
    harness.feed(
      [UInt8](publishPacket("abc", [UInt8](repeating: 5, count: 500), qos: 1, packetID: 3)[..<100]))
    harness.client.transportClosed(now: harness.now)
    harness.waitForOpen()
    harness.connect()
    harness.feed(publishPacket("n", [1]))
    #expect(harness.seen == [.message("n", [1])])
  }
}
