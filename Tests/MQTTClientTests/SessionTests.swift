import MQTTClient
import MQTTCodec
import TestNumbers
import Testing

@Suite("Sessions over lost connections")
struct SessionTests {
  @Test(
    "[MQTT-3.1.2-4] [MQTT-4.4.0-1] [MQTT-2.3.1-3] [MQTT-3.3.1-1] With a session, what is not acknowledged is resent in order with DUP and its identifier"
  )
  func resentWithSession() throws {
    let harness = try Harness { $0.cleanSession = false }
    harness.connect()
    for number in UInt8(1)...3 { _ = try harness.publish("t", [number], qos: .atLeastOnce) }
    _ = harness.takeAll()
    harness.feed([0x40, 2, 0, 2])
    harness.client.transportClosed(now: harness.now)
    _ = try harness.publish("t", [4], qos: .atLeastOnce)
    harness.waitForOpen()
    harness.client.transportOpened(now: harness.now)
    _ = harness.takeAll()
    harness.feed([0x20, 2, 1, 0])
    let expected =
      publishPacket("t", [1], qos: 1, packetID: 1, flags: 8)
      + publishPacket("t", [3], qos: 1, packetID: 3, flags: 8)
      + publishPacket("t", [4], qos: 1, packetID: 4)
    #expect(harness.take() == expected)
  }

  @Test("[MQTT-3.1.2-6] [MQTT-4.3.2-1] Without a session, what is not acknowledged is sent as new")
  func resentWithoutSession() throws {
    let harness = try Harness { $0.cleanSession = false }
    harness.connect()
    _ = try harness.publish("t", [1], qos: .atLeastOnce)
    for sessionPresent in [true, false] {
      _ = harness.takeAll()
      harness.client.transportClosed(now: harness.now)
      harness.waitForOpen()
      harness.connect(sessionPresent: sessionPresent)
      #expect(harness.take() == publishPacket("t", [1], qos: 1, packetID: 1, flags: sessionPresent ? 8 : 0))
    }
  }

  @Test("[MQTT-3.1.2-6] A session that should be clean is, whatever the server claims again and again")
  func claimedSession() throws {
    let harness = try Harness()
    try harness.subscribe("a")
    harness.connect(sessionPresent: true)
    #expect(!harness.client.isConnected)
    harness.lose()
    harness.connect(sessionPresent: true)
    _ = harness.takeAll()
    harness.feed([0x90, 3, 0, 1, 0])
    harness.client.transportClosed(now: harness.now)
    harness.waitForOpen()
    harness.connect(sessionPresent: true)
    #expect(harness.take() == [0x82, 6, 0, 2, 0, 1, 97, 0])
  }

  @Test("Subscriptions are made again unless the server kept them")
  func resubscribing() throws {
    let harness = try Harness { $0.cleanSession = false }
    try harness.subscribe("a")
    try harness.subscribe("b")
    harness.connect()
    _ = harness.takeAll()
    harness.feed([0x90, 3, 0, 1, 0])
    for (sessionPresent, expected): (Bool, [UInt8]) in [
      (true, [0x82, 6, 0, 3, 0, 1, 98, 0]),
      (false, [0x82, 6, 0, 4, 0, 1, 97, 0, 0x82, 6, 0, 5, 0, 1, 98, 0]),
    ] {
      harness.client.transportClosed(now: harness.now)
      harness.waitForOpen()
      harness.connect(sessionPresent: sessionPresent)
      #expect(harness.take() == expected)
    }
  }

  @Test("QoS 1 messages wait for the first connection, QoS 0 messages are refused and counted")
  func offline() throws {
    let harness = try Harness()
    #expect(throws: MQTTPublishError.notConnected) { try harness.publish("t", [1]) }
    _ = try harness.publish("t", [2], qos: .atLeastOnce)
    #expect(harness.client.counters.dropped == 1 && harness.client.counters.sent == 1)
    harness.client.start(now: 0)
    harness.client.transportOpened(now: 0)
    _ = harness.takeAll()
    #expect(throws: MQTTPublishError.notConnected) { try harness.publish("t", [1]) }
    harness.feed([0x20, 2, 0, 0])
    #expect(harness.take() == publishPacket("t", [2], qos: 1, packetID: 1))
  }

  @Test("A whole session against a server: birth, command, state, will, retained messages")
  func wholeSession() throws {
    let harness = try Harness { $0.will = MQTTWill(topic: "dev/availability", payload: [0], retain: true) }
    try harness.subscribe("dev/+/set", .atLeastOnce)
    harness.onMessage = { client, topic in
      guard topic == "dev/fan/set" else { return }
      let state = [UInt8]("dev/fan/state".utf8)
      do {
        try client.publish(topic: state.span, payload: [1].span, qos: .atLeastOnce, retain: true)
      } catch {
        Issue.record(error)
      }
    }
    let link = Link(harness)
    harness.client.start(now: harness.now)
    link.settle()
    #expect(harness.seen == [.connected(false), .subscribed(0, .atLeastOnce)])
    link.server.send("dev/fan/set", [1], qos: .atLeastOnce)
    link.server.send("dev/other", [1], qos: .atLeastOnce)
    link.settle()
    #expect(harness.seen.suffix(2) == [.message("dev/fan/set", [1], .atLeastOnce), .published(2)])
    #expect(link.server.retained["dev/fan/state"]?.payload == [1])
    link.cut()
    #expect(link.server.retained.isEmpty == false)
    link.run(for: 2_000)
    #expect(harness.client.isConnected && link.server.connects == 2)
    harness.client.disconnect(now: harness.now)
    link.settle()
    #expect(link.server.disconnects == 1 && link.server.faults.isEmpty)
  }

  @Test(
    "[MQTT-4.3.2-1] [MQTT-4.3.3-1] [MQTT-4.3.3-2] QoS 1 arrives at least once and QoS 2 exactly once, whatever bytes the connection is lost at, in both directions",
    arguments: [(true, QoS.atLeastOnce), (false, .atLeastOnce), (false, .exactlyOnce)],
    [ProtocolVersion.v3_1_1, .v5])
  func randomLosses(_ kind: (cleanSession: Bool, qos: QoS), _ version: ProtocolVersion) throws {
    let (cleanSession, qos) = kind
    for seed in UInt64(0)..<150 {
      var random = SplitMix(state: seed)
      let harness = try Harness { options in
        options.cleanSession = cleanSession
        options.version = version
        // The server takes its own limits seriously, which 3.1.1 cannot tell.
        options.fallsBack = false
        options.topicAliasMaximum = 1
        options.sentTopicAliases = 2
        options.receiveMaximum = 4
        options.maxInFlight = 3
        options.outboxCapacity = 1024
        options.receiveCapacity = 64
        options.randomSeed = seed
      }
      try harness.subscribe("cmd", qos)
      let link = Link(harness)
      link.server.topicAliasMaximum = UInt16(seed % 3)
      if version == .v5 { link.server.receiveMaximum = UInt16(seed % 4 + 1) }
      link.server.usesAliases = seed % 2 == 0
      harness.client.start(now: harness.now)
      link.settle()
      for number in UInt8(0)..<30 {
        if random.next() % 3 == 0 { link.bytesUntilCut = Int(random.next() % 40) }
        _ = try? harness.publish("up", [number], qos: qos)
        if !cleanSession || harness.client.isConnected { link.server.send("cmd", [number], qos: qos) }
        link.run(for: random.next() % 400)
      }
      link.bytesUntilCut = nil
      link.run(for: 200_000)
      check(link, accepted: harness.client.counters.sent, qos, isComplete: !cleanSession)
    }
  }

  private func check(_ link: Link, accepted: UInt32, _ qos: QoS, isComplete: Bool) {
    #expect(link.server.faults == [])
    let up = link.server.accepted.map(\.payload)
    #expect(qos == .atLeastOnce || up.count == Int(accepted), "no message arrived twice")
    var firsts: [[UInt8]] = []
    for payload in up where !firsts.contains(payload) { firsts.append(payload) }
    #expect(firsts.count == Int(accepted), "every accepted message arrived")
    #expect(firsts == firsts.sorted { $0[0] < $1[0] }, "[MQTT-4.6.0-1] and in order")
    let told = link.harness.seen.filter { if case .published = $0 { true } else { false } }
    #expect(told.count == Int(accepted), "each was told of once")
    guard isComplete else { return }
    var commands = Set<UInt8>()
    for case .message(_, let payload, _, _, let duplicate) in link.harness.seen {
      let isNew = commands.insert(payload[0]).inserted
      #expect(isNew || qos == .atLeastOnce && duplicate, "a command comes twice only with DUP, at QoS 1")
    }
    #expect(commands.count == 30, "every command arrived")
  }

  @Test("A QoS 1 command sent after a reconnect is obeyed exactly once")
  func obeyedOnce() throws {
    let harness = try Harness { $0.cleanSession = false }
    try harness.subscribe("cmd", .atLeastOnce)
    let link = Link(harness)
    harness.client.start(now: harness.now)
    link.settle()
    for round in UInt8(1)...20 {
      link.cut()
      link.run(for: 70_000)
      #expect(harness.client.isConnected)
      link.server.send("cmd", [round], qos: .atLeastOnce)
      link.run(for: 10_000)
    }
    let commands = harness.seen.filter { if case .message = $0 { true } else { false } }
    #expect(commands.count == 20)
    #expect(harness.client.counters.reconnects == 20 && harness.client.counters.connections == 21)
  }
}
