import MQTTClient
import Testing

@Suite("Streams in pieces")
struct SplitTests {
  private let stream: [UInt8] =
    [0x20, 2, 0, 0, 0x90, 3, 0, 4, 1] + publishPacket("a/b", [1, 2, 3])
    + publishPacket("a/c", [4], qos: 1, packetID: 300, flags: 1) + [0xD0, 0]
    + publishPacket("a/long", [UInt8](repeating: 7, count: 200), qos: 1, packetID: 9)
    + publishPacket("a/d", [UInt8](repeating: 9, count: 50)) + [0x40, 2, 0, 2]
    + publishPacket("a/e", [5], qos: 2, packetID: 8)
    + publishPacket("a/e", [5], qos: 2, packetID: 8, flags: 8)
    + publishPacket("a/long", [UInt8](repeating: 7, count: 130), qos: 2, packetID: 7) + [0x62, 2, 0, 8]
    + [0x50, 2, 0, 3, 0x70, 2, 0, 3] + publishPacket("é", [], qos: 1, packetID: 1, flags: 8)

  private let expected: [Seen] = [
    .connected(false), .subscribed(0, .atLeastOnce), .message("a/b", [1, 2, 3]),
    .message("a/c", [4], .atLeastOnce, retain: true), .oversized("a/long", 200),
    .message("a/d", [UInt8](repeating: 9, count: 50)), .published(2),
    .message("a/e", [5], .exactlyOnce), .oversized("a/long", 130), .published(3),
    .message("é", [], .atLeastOnce, duplicate: true),
  ]

  private func started() throws -> Harness {
    let harness = try Harness { $0.receiveCapacity = 128 }
    try harness.subscribe("a/#", .atLeastOnce)
    harness.client.start(now: 0)
    harness.client.transportOpened(now: 0)
    _ = harness.takeAll()
    return harness
  }

  /// What is written in answer to the stream, with one QoS 1 message of our own in between.
  private func check(_ harness: Harness, _ output: [UInt8]) {
    #expect(harness.seen == expected)
    #expect(
      output.suffix(32) == [
        0x40, 2, 1, 44, 0x40, 2, 0, 9, 0x50, 2, 0, 8, 0x50, 2, 0, 8, 0x50, 2, 0, 7, 0x70, 2, 0, 8, 0x62, 2, 0,
        3, 0x40, 2, 0, 1,
      ])
    #expect(harness.client.isConnected)
  }

  @Test("Every split of a stream into two reads gives the same events and answers")
  func twoPieces() throws {
    for split in 0...stream.count {
      let harness = try started()
      _ = try harness.publish("m", [], qos: .atLeastOnce)
      _ = try harness.publish("n", [], qos: .atLeastOnce)
      _ = try harness.publish("o", [], qos: .exactlyOnce)
      harness.feed([UInt8](stream[..<split]))
      harness.feed([UInt8](stream[split...]))
      check(harness, harness.takeAll())
    }
  }

  @Test("Reads of any equal size give the same events and answers", arguments: 1...40)
  func equalPieces(_ size: Int) throws {
    let harness = try started()
    _ = try harness.publish("m", [], qos: .atLeastOnce)
    _ = try harness.publish("n", [], qos: .atLeastOnce)
    _ = try harness.publish("o", [], qos: .exactlyOnce)
    for start in stride(from: 0, to: stream.count, by: size) {
      harness.feed([UInt8](stream[start..<min(start + size, stream.count)]))
    }
    check(harness, harness.takeAll())
  }

  @Test("Every split of a stream of 5.0 into two reads gives the same events and answers")
  func twoPiecesV5() throws {
    let alias = number(.topicAlias, 1)
    let stream =
      connack(number(.receiveMaximum, 9)) + [0x90, 4, 0, 1, 0, 1] + publishV5("a/b", [1, 2], alias)
      + publishV5("", [3], qos: 1, packetID: 300, alias + text(.contentType, "x"))
      + publishV5("a/long", [UInt8](repeating: 7, count: 200), qos: 2, packetID: 9, alias)
      + publishV5("", [4], qos: 2, packetID: 8, flags: 8, alias) + [0x62, 2, 0, 9, 0x50, 3, 0, 7, 0]
      + [0xD0, 0, 0xB0, 4, 0, 7, 0, 0, 0xE0, 2, 0x8B, 0]
    let expected: [Seen] = [
      .connected(false), .subscribed(0, .atLeastOnce), .message("a/b", [1, 2]),
      .message("a/b", [3], .atLeastOnce), .oversized("a/long", 200),
      .message("a/long", [4], .exactlyOnce, duplicate: true), .disconnected(.server(.serverShuttingDown)),
    ]
    let answers: [UInt8] = [
      0x40, 2, 1, 44, 0x50, 2, 0, 9, 0x50, 2, 0, 8, 0x70, 2, 0, 9, 0x62, 3, 0, 7, 0x92,
    ]
    for split in 0...stream.count {
      let harness = try harnessV5 {
        $0.receiveCapacity = 128
        $0.topicAliasMaximum = 1
      }
      try harness.subscribe("a/#", .atLeastOnce)
      _ = harness.open()
      var output: [UInt8] = []
      for part in [stream[..<split], stream[split...]] {
        for byte in stride(from: part.startIndex, to: part.endIndex, by: 7) {
          harness.feed([UInt8](part[byte..<min(byte + 7, part.endIndex)]))
          output += harness.takeAll()
        }
      }
      #expect(harness.seen == expected)
      #expect(output.suffix(21) == answers)
    }
  }

  @Test("A server that closes at any byte is connected to again, and nothing is made up")
  func closedAtEveryByte() throws {
    for split in 0..<stream.count {
      let harness = try started()
      _ = try harness.publish("m", [], qos: .atLeastOnce)
      _ = try harness.publish("n", [], qos: .atLeastOnce)
      _ = try harness.publish("o", [], qos: .exactlyOnce)
      harness.feed([UInt8](stream[..<split]))
      let before = harness.seen
      #expect(before == [Seen](expected.prefix(before.count)), "split at \(split)")
      harness.client.transportClosed(now: harness.now)
      harness.seen = []
      harness.pull()
      let lost: Seen =
        before.isEmpty ? .failed(.transportClosed) : .disconnected(.transportClosed)
      #expect(harness.seen == [lost])
      harness.waitForOpen()
      #expect(harness.client.transportRequest == .open)
      harness.client.transportOpened(now: harness.now)
      harness.seen = []
      harness.feed([0x20, 2, 0, 0] + publishPacket("again", [1]))
      // The QoS 2 message that went out has an end of its own.
      let fates: [Seen] = [.published(3), .publishFailed(3, .sessionLost)]
      #expect(harness.seen.filter { !fates.contains($0) } == [.connected(false), .message("again", [1])])
    }
  }
}
