import MQTTClient
import MQTTCodec
import Testing

@Suite("Versions, refusals, redirection, and other clients with our name")
struct VersionTests {
  @Test(
    "[MQTT5-3.1.2-2] A server that does not speak 5.0 is spoken to in 3.1.1 at once and from then on",
    arguments: [[0x20, 2, 0, 1], [0x20, 3, 0, 0x84, 0]] as [[UInt8]])
  func fallsBack(_ refusal: [UInt8]) throws {
    let harness = try harnessV5 { $0.fallsBack = true }
    _ = try harness.publish("t", [1], qos: .atLeastOnce, properties: number(.messageExpiryInterval, 9))
    #expect(harness.open()[8] == 5)
    harness.feed(refusal)
    #expect(harness.seen.isEmpty && harness.client.transportRequest == .close)
    harness.client.transportClosed(now: harness.now)
    harness.client.advance(to: harness.now)
    #expect(harness.client.transportRequest == .open && harness.client.protocolVersion == .v3_1_1)
    #expect(harness.open()[8] == 4)
    harness.feed([0x20, 2, 0, 0])
    #expect(harness.seen == [.connected(false)])
    #expect(harness.take() == publishPacket("t", [1], qos: 1, packetID: 1))
    harness.lose()
    #expect(harness.open()[8] == 4)
  }

  @Test(
    "A server that closes on CONNECT of 5.0 without a word is asked in 3.1.1 at once, and in 5.0 at the next connection"
  )
  func guesses() throws {
    let harness = try harnessV5 { $0.fallsBack = true }
    for _ in 0..<3 {
      #expect(harness.open()[8] == 5)
      harness.client.transportClosed(now: harness.now)
      harness.client.advance(to: harness.now)
      #expect(harness.client.transportRequest == .open)
      #expect(harness.open()[8] == 4)
      harness.feed([0x20, 2, 0, 0])
      #expect(harness.seen == [.connected(false)])
      harness.lose()
      harness.seen = []
    }
  }

  @Test("A server that closes whatever is spoken is asked in pairs of versions, with growing pauses between")
  func guessesInPairs() throws {
    let harness = try harnessV5 { $0.fallsBack = true }
    for _ in 0..<3 {
      #expect(harness.open()[8] == 5)
      harness.client.transportClosed(now: harness.now)
      harness.client.advance(to: harness.now)
      #expect(harness.client.transportRequest == .open)
      #expect(harness.open()[8] == 4)
      harness.client.transportClosed(now: harness.now)
      harness.pull()
      #expect(try #require(harness.client.nextDeadline) - harness.now >= 500)
      #expect(harness.seen == [.failed(.transportClosed)])
      harness.seen = []
      harness.waitForOpen()
    }
  }

  @Test("A server that closes within its answer speaks 5.0, and one that has spoken 5.0 is not doubted")
  func doesNotGuess() throws {
    let harness = try harnessV5 { $0.fallsBack = true }
    _ = harness.open()
    harness.feed([0x20])
    harness.client.transportClosed(now: harness.now)
    harness.waitForOpen()
    #expect(harness.open()[8] == 5)
    harness.feed([0x20, 3, 0, 0, 0])
    harness.lose()
    for _ in 0..<3 {
      #expect(harness.open()[8] == 5)
      harness.client.transportClosed(now: harness.now)
      harness.pull()
      #expect(try #require(harness.client.nextDeadline) > harness.now)
      harness.waitForOpen()
    }
    // Of another server nothing is known.
    harness.client.serverChanges()
    #expect(harness.open()[8] == 5)
    harness.client.transportClosed(now: harness.now)
    harness.client.advance(to: harness.now)
    #expect(harness.open()[8] == 4)
  }

  @Test("Without fall-back the refusal is told of and tried again late")
  func doesNotFallBack() throws {
    let harness = try harnessV5()
    _ = harness.open()
    harness.feed([0x20, 2, 0, 1])
    #expect(harness.seen == [.refused(.unsupportedProtocolVersion)])
    harness.client.transportClosed(now: harness.now)
    #expect(try #require(harness.client.nextDeadline) - harness.now >= 30_000)
  }

  @Test(
    "[MQTT5-3.2.2-8] [MQTT5-3.1.3-8] A refusal is told of with the server's words, and lasting ones are tried again late"
  )
  func refused() throws {
    for (code, isLate): (UInt8, Bool) in [
      (0x80, false), (0x86, true), (0x87, true), (0x88, false), (0x89, false), (0x8A, true), (0x8C, true),
      (0x97, false), (0x9F, false),
    ] {
      let harness = try harnessV5()
      _ = harness.open()
      _ = harness.client.receive(connack(text(.reasonString, "why"), reason: code).span, now: harness.now)
      let event = try #require(harness.client.nextEvent(now: harness.now))
      #expect(
        harness.describe(event) == .refused(ReasonCode(rawValue: code)) && harness.reasonString == "why")
      harness.client.transportClosed(now: harness.now)
      let wait = try #require(harness.client.nextDeadline) - harness.now
      #expect(isLate ? wait >= 30_000 : wait <= 1_000)
    }
  }

  @Test("[MQTT5-4.13.2-1] A server may send us to another one, in CONNACK and later")
  func redirected() throws {
    let harness = try harnessV5()
    _ = harness.open()
    harness.feed(connack(text(.serverReference, "b:1884 c"), reason: 0x9C))
    let first = try #require(harness.client.redirection)
    #expect(String(decoding: first.reference, as: UTF8.self) == "b:1884 c" && !first.isPermanent)
    harness.client.transportClosed(now: harness.now)
    harness.waitForOpen()
    harness.connectV5()
    #expect(harness.client.redirection == nil)
    let reference = text(.serverReference, "d")
    harness.feed(packet(0xE0, [0x9D, UInt8(reference.count)] + reference))
    #expect(harness.seen == [.disconnected(.server(.serverMoved))])
    let second = try #require(harness.client.redirection)
    #expect(second.reference == [100] && second.isPermanent)
  }

  @Test("[MQTT5-3.1.4-3] Two clients with one identifier do not take the session from each other for ever")
  func takenOver() throws {
    var waits: [UInt64] = []
    let harness = try harnessV5 { $0.backoffMaximum = 8_000 }
    for _ in 0..<8 {
      harness.waitForOpen()
      harness.connectV5()
      harness.feed([0xE0, 1, 0x8E])
      #expect(harness.seen == [.disconnected(.server(.sessionTakenOver))])
      harness.client.transportClosed(now: harness.now)
      waits.append(try #require(harness.client.nextDeadline) - harness.now)
    }
    #expect(waits[0] >= 4_000 && waits[0] <= 8_000)
    #expect(waits[4...].allSatisfy { $0 >= 64_000 && $0 <= 128_000 })
    // What has lasted is no fight any more.
    harness.waitForOpen()
    harness.connectV5()
    harness.now += 200_000
    harness.feed([0xE0, 1, 0x8E])
    harness.client.transportClosed(now: harness.now)
    #expect(try #require(harness.client.nextDeadline) - harness.now <= 8_000)
  }

  @Test("A server that closes again and again soon after CONNACK is told of as what it may be")
  func closedEarly() throws {
    let harness = try Harness()
    for round in 1...4 {
      harness.waitForOpen()
      harness.connect()
      harness.now += 1_000
      harness.client.transportClosed(now: harness.now)
      harness.pull()
      #expect(harness.seen == [.disconnected(round < 3 ? .transportClosed : .closedEarly)])
    }
    harness.waitForOpen()
    harness.connect()
    harness.now += 10_000
    harness.client.transportClosed(now: harness.now)
    harness.pull()
    #expect(harness.seen == [.disconnected(.transportClosed)])
  }

  @Test(
    "[MQTT5-3.1.2-4] [MQTT5-3.1.2-5] [MQTT5-3.2.2-4] [MQTT5-3.2.2-5] A session may begin clean and be kept over connections"
  )
  func cleanStart() throws {
    let harness = try harnessV5 { $0.sessionExpiry = 60 }
    #expect(harness.open()[9] == 2)
    harness.feed(connack(sessionPresent: true))
    #expect(harness.seen == [.failed(.violation(.protocolError))])
    harness.lose()
    harness.connectV5()
    _ = try harness.publish("t", [1], qos: .atLeastOnce)
    harness.lose()
    #expect(harness.open()[9] == 0)
    harness.feed(connack(sessionPresent: true))
    #expect(harness.take() == publishV5("t", [1], qos: 1, packetID: 1, flags: 8))
    harness.lose()
    harness.connectV5(sessionPresent: false)
    #expect(harness.take() == publishV5("t", [1], qos: 1, packetID: 1))
    let always = try harnessV5()
    always.connectV5()
    always.lose()
    #expect(always.open()[9] == 2)
  }

  @Test("A kept session is kept for ever unless a time is given, as in 3.1.1")
  func keptForEver() throws {
    let harness = try harnessV5 { $0.cleanSession = false }
    let connect = harness.open()
    #expect(connect[9] == 0 && connect[12..<21] == [8, 0x21, 0, 20, 0x11, 255, 255, 255, 255])
  }
}
