import MQTTClient
import MQTTCodec
import Testing

@Suite("Keep alive, timeouts and backoff")
struct TimingTests {
  @Test("[MQTT-3.1.2-23] PINGREQ is sent before the keep alive ends, whichever direction is silent")
  func pinging() throws {
    let harness = try Harness()
    harness.connect()
    let deadline = try #require(harness.client.nextDeadline)
    #expect(deadline > harness.now + 55_000 && deadline < harness.now + 60_000)
    harness.client.advance(to: deadline - 1)
    #expect(!harness.client.hasOutput)
    harness.now = deadline
    harness.client.advance(to: deadline)
    #expect(harness.takeAll() == [0xC0, 0])
    harness.now += 10
    harness.feed([0xD0, 0])
    let next = try #require(harness.client.nextDeadline)
    #expect(next > deadline + 55_000 && next < deadline + 60_000)
  }

  @Test("A client that only sends still asks for a sign of life")
  func onlySending() throws {
    let harness = try Harness { $0.keepAlive = 10 }
    harness.connect()
    var pings = 0
    for _ in 0..<20 {
      harness.now += 1_000
      harness.client.advance(to: harness.now)
      _ = try? harness.publish("t", [])
      if harness.takeAll().starts(with: [0xC0]) { pings += 1 }
    }
    #expect(pings == 1)
    #expect(harness.client.transportRequest == .close)
  }

  @Test(
    "A dead peer is found within 1.5 times the keep alive",
    arguments: [1, 2, 10, 60, 600, 65_535] as [UInt16])
  func deadPeer(_ keepAlive: UInt16) throws {
    let harness = try Harness { $0.keepAlive = keepAlive }
    harness.connect()
    let silentSince = harness.now
    while harness.client.transportRequest == .none {
      harness.now = try #require(harness.client.nextDeadline)
      harness.client.advance(to: harness.now)
      _ = harness.takeAll()
    }
    harness.pull()
    #expect(harness.seen == [.disconnected(.keepAliveTimeout)])
    #expect(harness.now - silentSince <= UInt64(keepAlive) * 1_500)
    #expect(harness.now - silentSince >= UInt64(keepAlive) * 1_000)
  }

  @Test("Any byte is a sign of life")
  func anyByte() throws {
    let harness = try Harness { $0.keepAlive = 10 }
    harness.connect()
    let packet = publishPacket("t", [UInt8](repeating: 0, count: 100))
    for byte in packet {
      harness.now += 4_000
      harness.feed([byte])
      harness.client.advance(to: harness.now)
      _ = harness.takeAll()
      #expect(harness.client.transportRequest == .none)
    }
    #expect(harness.seen.count == 1)
  }

  @Test("Keep alive 0 never wakes anybody")
  func noKeepAlive() throws {
    let harness = try Harness { $0.keepAlive = 0 }
    harness.connect()
    #expect(harness.client.nextDeadline == nil)
    harness.client.advance(to: .max / 2)
    #expect(harness.client.isConnected && !harness.client.hasOutput)
  }

  @Test("An idle connection asks for a sign of life once in a keep alive and does nothing else")
  func idle() throws {
    let link = Link(try Harness())
    link.client.start(now: link.harness.now)
    link.run(for: 3_600_000)
    #expect(link.client.isConnected)
    #expect(link.server.pings <= 62)
  }

  @Test("A transport that does not open and a server that does not answer are given up in time")
  func connectTimeout() throws {
    for opens in [false, true] {
      let harness = try Harness()
      harness.client.start(now: harness.now)
      if opens { harness.client.transportOpened(now: harness.now + 100) }
      #expect(harness.client.nextDeadline == harness.now + 10_000)
      harness.client.advance(to: harness.now + 9_999)
      #expect(harness.client.transportRequest == (opens ? .none : .open))
      harness.now += 10_000
      harness.client.advance(to: harness.now)
      #expect(harness.client.transportRequest == .close)
      harness.pull()
      #expect(harness.seen == [.failed(.connectTimeout)])
      harness.client.transportClosed(now: harness.now)
      harness.pull()
      #expect(harness.seen.count == 1)
      #expect(harness.client.transportRequest == .none && harness.client.nextDeadline != nil)
    }
  }

  /// The waits of an unreachable server.
  private func waits(seed: UInt64, count: Int) throws -> [UInt64] {
    let harness = try Harness { $0.randomSeed = seed }
    harness.client.start(now: harness.now)
    return try (0..<count).map { _ in
      harness.client.transportClosed(now: harness.now)
      harness.pull()
      let deadline = try #require(harness.client.nextDeadline)
      let wait = deadline - harness.now
      harness.waitForOpen()
      #expect(harness.client.transportRequest == .open)
      return wait
    }
  }

  @Test("Waits are random between the minimum and a ceiling that doubles up to the maximum")
  func backoff() throws {
    var greatest = [UInt64](repeating: 0, count: 12)
    var least = [UInt64](repeating: .max, count: 12)
    for seed in UInt64(0)..<500 {
      for (index, wait) in try waits(seed: seed, count: 12).enumerated() {
        greatest[index] = max(greatest[index], wait)
        least[index] = min(least[index], wait)
      }
    }
    for index in 0..<12 {
      let ceiling = min(60_000, 500 << UInt64(index + 1))
      #expect(least[index] >= 500 && greatest[index] <= ceiling)
      #expect(greatest[index] > 500 + (ceiling - 500) * 9 / 10, "the whole range is used")
      #expect(least[index] < 500 + (ceiling - 500) / 10, "the whole range is used")
    }
  }

  @Test("The same seed gives the same waits, another seed others")
  func deterministic() throws {
    #expect(try waits(seed: 1, count: 20) == waits(seed: 1, count: 20))
    #expect(try waits(seed: 1, count: 20) != waits(seed: 2, count: 20))
  }

  @Test("A server that closes right after CONNACK does not see a reconnect war")
  func reconnectWar() throws {
    let link = Link(try Harness())
    link.client.start(now: link.harness.now)
    let end = link.harness.now + 3_600_000
    while link.harness.now < end {
      link.settle()
      if link.client.isConnected { link.cut() }
      link.run(for: 100)
    }
    #expect(link.server.connects < 200)
  }

  @Test("After a connection that lasted, the first wait is short again")
  func backoffResets() throws {
    let link = Link(try Harness())
    link.client.start(now: link.harness.now)
    link.isDown = true
    link.run(for: 600_000)
    link.isDown = false
    link.run(for: 60_000)
    #expect(link.client.isConnected)
    link.run(for: 70_000)
    link.cut()
    link.harness.pull()
    let deadline = try #require(link.client.nextDeadline)
    #expect(deadline - link.harness.now <= 1_000)
  }

  @Test(
    "A line that breaks in the middle of work is tried again soon, however often; one that is of no use later and later",
    arguments: [QoS.atLeastOnce, .exactlyOnce], [false, true])
  func brokenLine(_ qos: QoS, _ isReceiving: Bool) throws {
    let harness = try Harness { $0.cleanSession = false }
    harness.connect()
    for round in UInt8(1)...20 {
      if isReceiving {
        harness.feed(publishPacket("t", [round], qos: qos.rawValue, packetID: UInt16(round)))
      } else {
        _ = try harness.publish("t", [1], qos: qos)
        _ = try harness.publish("t", [2], qos: qos)
        let packetID = harness.takeAll()[6]
        harness.feed(
          qos == .atLeastOnce ? [0x40, 2, 0, packetID] : [0x50, 2, 0, packetID, 0x70, 2, 0, packetID])
      }
      harness.client.transportClosed(now: harness.now)
      harness.pull()
      #expect(harness.seen.last == .disconnected(.transportClosed))
      let deadline = try #require(harness.client.nextDeadline)
      #expect(deadline - harness.now <= 1_000)
      harness.waitForOpen()
      harness.connect(sessionPresent: true)
    }
    // Nothing comes, and nothing is settled.
    var longest: UInt64 = 0
    for _ in 1...20 {
      harness.client.transportClosed(now: harness.now)
      harness.pull()
      longest = max(longest, try #require(harness.client.nextDeadline) - harness.now)
      harness.waitForOpen()
      harness.connect(sessionPresent: true)
    }
    #expect(longest > 20_000)
  }

  @Test(
    "Two clients with one identifier that fight for their session calm down, though each says all it has to say"
  )
  func fight() throws {
    let harness = try Harness()
    harness.connect()
    var longest: UInt64 = 0
    for _ in 1...20 {
      _ = try harness.publish("online", [1], qos: .atLeastOnce)
      let packetID = harness.takeAll().dropFirst(11).first ?? 0
      harness.feed([0x40, 2, 0, packetID])
      // The other one has waited as long as we do, and comes.
      harness.now += 500
      harness.client.transportClosed(now: harness.now)
      harness.pull()
      longest = max(longest, try #require(harness.client.nextDeadline) - harness.now)
      harness.waitForOpen()
      harness.connect()
    }
    #expect(longest > 20_000)
  }

  @Test(
    "What is not acknowledged within a minute is sent again on another connection, though the server gives signs of life",
    arguments: [60_000, 5_000] as [UInt64])
  func acknowledgementTimeout(_ timeout: UInt64) throws {
    let harness = try Harness { options in
      options.cleanSession = false
      options.acknowledgementTimeout = timeout
      options.keepAlive = 2
    }
    harness.connect()
    let packetID = try harness.publish("t", [1], qos: .atLeastOnce)
    let sent = publishPacket("t", [1], qos: 1, packetID: packetID)
    #expect(harness.takeAll() == sent)
    // A bit of its identifier is another on the way; one that is right is for another message.
    harness.feed([0x40, 2, 0x40, UInt8(packetID)])
    let other = try harness.publish("t", [2], qos: .exactlyOnce)
    _ = harness.takeAll()
    harness.feed([0x50, 2, 0, UInt8(other), 0x70, 2, 0, UInt8(other)])
    #expect(harness.seen == [.published(other)])
    _ = harness.takeAll()
    let begin = harness.now
    while harness.client.transportRequest == .none {
      harness.now = try #require(harness.client.nextDeadline)
      harness.client.advance(to: harness.now)
      if harness.takeAll() == [0xC0, 0] { harness.feed([0xD0, 0]) }
    }
    #expect(harness.now - begin == timeout)
    harness.pull()
    #expect(harness.seen.last == .disconnected(.acknowledgementTimeout))
    harness.client.transportClosed(now: harness.now)
    harness.waitForOpen()
    harness.connect(sessionPresent: true)
    #expect(harness.takeAll() == [sent[0] | 8] + sent.dropFirst())
  }

  @Test("So is a filter that the server does not answer, and PUBREL")
  func otherAcknowledgements() throws {
    let harness = try Harness { $0.cleanSession = false }
    harness.connect()
    try harness.subscribe("a")
    let subscribed = harness.takeAll()
    harness.now += 60_000
    harness.client.advance(to: harness.now)
    harness.pull()
    #expect(harness.seen.last == .disconnected(.acknowledgementTimeout))
    harness.client.transportClosed(now: harness.now)
    harness.waitForOpen()
    harness.connect(sessionPresent: true)
    #expect(harness.takeAll().count == subscribed.count)
    harness.feed([0x90, 3, 0, 2, 0])
    let packetID = try UInt8(harness.publish("t", [], qos: .exactlyOnce))
    _ = harness.takeAll()
    harness.now += 40_000
    harness.feed([0x50, 2, 0, packetID])
    #expect(harness.takeAll() == [0x62, 2, 0, packetID])
    harness.now += 40_000
    harness.client.advance(to: harness.now)
    #expect(harness.client.isConnected, "PUBREC was an answer")
    harness.now += 20_000
    harness.client.advance(to: harness.now)
    harness.pull()
    #expect(harness.seen.last == .disconnected(.acknowledgementTimeout))
  }

  @Test("A server that takes nothing for now is not asked for an answer")
  func takesNothing() throws {
    let harness = try Harness { $0.keepAlive = 0 }
    harness.connect()
    _ = try harness.publish("t", [1], qos: .atLeastOnce)
    for _ in 1...5 {
      harness.client.withOutput { _ in 1 }
      harness.now += 50_000
      harness.client.advance(to: harness.now)
      #expect(harness.client.isConnected)
    }
    _ = harness.takeAll()
    harness.now += 60_000
    harness.client.advance(to: harness.now)
    harness.pull()
    #expect(harness.seen == [.disconnected(.acknowledgementTimeout)])
  }

  @Test("A loop that sleeps until the deadline hears of everything: while there is an event it is now")
  func deadlineOfEvents() throws {
    let harness = try Harness { options in
      options.keepAlive = 0
      options.sendCapacity = 256
    }
    harness.connect()
    #expect(harness.client.nextDeadline == nil)
    // Messages that wait in the buffer until their acknowledgements have room.
    for packetID in UInt16(1)...100 {
      _ = harness.client.receive(publishPacket("t", [], qos: 1, packetID: packetID), now: harness.now)
    }
    harness.pull()
    #expect(harness.seen.count < 100 && harness.client.nextDeadline == nil)
    _ = harness.take()
    #expect(harness.client.nextDeadline == harness.now)
    harness.pull()
    #expect(harness.client.nextDeadline == nil)
    harness.client.disconnect(now: harness.now)
    _ = harness.takeAll()
    #expect(harness.client.transportRequest == .close && harness.client.nextDeadline == harness.now)
    harness.client.transportClosed(now: harness.now)
    #expect(harness.client.nextDeadline == harness.now)
    harness.pull()
    #expect(harness.seen.last == .disconnected(.requested) && harness.client.nextDeadline == nil)
  }

  @Test("A broker that restarts has its client back in under ten seconds")
  func brokerRestart() throws {
    for seed in UInt64(0)..<100 {
      let link = Link(try Harness { $0.randomSeed = seed })
      link.client.start(now: link.harness.now)
      link.run(for: 20_000)
      link.isDown = true
      link.cut()
      link.run(for: 4_000)
      link.isDown = false
      link.run(for: 9_000)
      #expect(link.client.isConnected)
    }
  }

  @Test(
    "A refusal that somebody has to mend is told of and tried again late, an unavailable server soon",
    arguments: [
      (1, ReasonCode.unsupportedProtocolVersion), (2, .clientIdentifierNotValid), (3, .serverUnavailable),
      (4, .badUserNameOrPassword), (5, .notAuthorized),
    ] as [(UInt8, ReasonCode)])
  func refused(_ code: UInt8, _ refusal: ReasonCode) throws {
    let harness = try Harness()
    harness.client.start(now: harness.now)
    harness.client.transportOpened(now: harness.now)
    harness.feed([0x20, 2, 0, code])
    #expect(harness.seen == [.refused(refusal)])
    #expect(harness.client.transportRequest == .close)
    harness.client.transportClosed(now: harness.now)
    harness.pull()
    #expect(harness.seen.count == 1)
    let wait = try #require(harness.client.nextDeadline) - harness.now
    if refusal == .serverUnavailable {
      #expect(wait <= 1_000)
    } else {
      #expect(wait >= 30_000 && wait <= 60_000)
    }
  }
}
