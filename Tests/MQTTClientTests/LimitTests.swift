import MQTTClient
import TestNumbers
import Testing

@Suite("Limits and mistakes")
struct LimitTests {
  @Test("[MQTT-2.3.1-2] [MQTT-2.3.1-4] Identifiers go around without ever being given twice at a time")
  func identifiers() throws {
    var random = SplitMix(state: 3)
    let harness = try Harness()
    harness.connect()
    var inUse: [UInt16] = []
    for _ in 0..<140_000 {
      if inUse.count == 8 {
        let packetID = inUse.remove(at: Int(random.next() % 8))
        let answer: [UInt8] = [0x40, 2, UInt8(packetID >> 8), UInt8(packetID & 0xFF)]
        _ = harness.client.receive(answer.span, now: harness.now)
        while harness.client.nextEvent(now: harness.now) != nil {}
      }
      let packetID = try harness.publish("t", [], qos: .atLeastOnce)
      if packetID == 0 || inUse.contains(packetID) { Issue.record("\(packetID) given twice") }
      inUse.append(packetID)
      harness.client.withOutput { $0.count }
    }
    #expect(harness.client.counters.sent == 140_000)
  }

  @Test("The window bounds what is in flight, the rest follows in order")
  func window() throws {
    let harness = try Harness { $0.maxInFlight = 2 }
    harness.connect()
    for number in UInt8(1)...5 { _ = try harness.publish("t", [number], qos: .atLeastOnce) }
    #expect(
      harness.takeAll() == publishPacket("t", [1], qos: 1, packetID: 1)
        + publishPacket("t", [2], qos: 1, packetID: 2))
    harness.feed([0x40, 2, 0, 2])
    #expect(harness.takeAll() == publishPacket("t", [3], qos: 1, packetID: 3))
    harness.feed([0x40, 2, 0, 1, 0x40, 2, 0, 3])
    #expect(
      harness.takeAll() == publishPacket("t", [4], qos: 1, packetID: 4)
        + publishPacket("t", [5], qos: 1, packetID: 5))
  }

  @Test("A full outbox refuses, counts, and takes again when the server acknowledges")
  func outboxFull() throws {
    let harness = try Harness { $0.outboxCapacity = 256 }
    harness.connect()
    var accepted = 0
    #expect(throws: MQTTPublishError.outboxFull) {
      while true {
        _ = try harness.publish("t", [UInt8](repeating: 0, count: 10), qos: .atLeastOnce)
        accepted += 1
      }
    }
    #expect(accepted == 8)
    #expect(harness.client.counters.dropped == 1)
    harness.feed([0x40, 2, 0, 2])
    #expect(throws: MQTTPublishError.outboxFull) { try harness.publish("t", [], qos: .atLeastOnce) }
    harness.feed([0x40, 2, 0, 1])
    _ = try harness.publish("t", [], qos: .atLeastOnce)
  }

  @Test("A full output refuses QoS 0, keeps QoS 1 for later and still acknowledges")
  func outputFull() throws {
    let harness = try Harness { $0.sendCapacity = 256 }
    harness.connect()
    #expect(throws: MQTTPublishError.outputFull) {
      while true { _ = try harness.publish("t", [UInt8](repeating: 0, count: 10)) }
    }
    #expect(harness.client.counters.dropped == 1)
    _ = try harness.publish("late", [UInt8](repeating: 1, count: 20), qos: .atLeastOnce)
    for packetID in UInt16(1)...100 { harness.feed(publishPacket("in", [], qos: 1, packetID: packetID)) }
    let handled = harness.seen.count
    #expect(handled > 10 && handled < 100, "the server has to wait when even the reserve is full")
    let output = harness.takeAll()
    #expect(output.suffix(30) == publishPacket("late", [UInt8](repeating: 1, count: 20), qos: 1, packetID: 1))
    harness.pull()
    #expect(harness.seen.count > handled)
  }

  @Test("A message that never fits is refused as such and not counted as dropped")
  func tooLarge() throws {
    let harness = try Harness()
    harness.connect()
    #expect(throws: MQTTPublishError.tooLarge) {
      try harness.publish("t", [UInt8](repeating: 0, count: 4096))
    }
    let small = try Harness { $0.outboxCapacity = 64 }
    #expect(throws: MQTTPublishError.tooLarge) {
      try small.publish("t", [UInt8](repeating: 0, count: 60), qos: .atLeastOnce)
    }
    #expect(harness.client.counters.dropped == 0 && small.client.counters.dropped == 0)
  }

  @Test("[MQTT-3.3.2-2] [MQTT-4.7.1-1] [MQTT-4.7.3-1] Our own topics are checked before anything is sent")
  func ownTopics() throws {
    let harness = try Harness()
    harness.connect()
    #expect(throws: MQTTPublishError.invalidTopic(.wildcardInTopic)) { try harness.publish("a/#", []) }
    #expect(throws: MQTTPublishError.invalidTopic(.emptyTopic)) { try harness.publish("", []) }
    #expect(throws: MQTTPublishError.invalidTopic(.invalidString)) { try harness.publish("a\0", []) }
    #expect(throws: MQTTSubscribeError.invalidFilter(.invalidFilter)) { try harness.subscribe("a#") }
    #expect(!harness.client.hasOutput)
  }

  @Test(
    "[MQTT-3.1.3-7] [MQTT-3.1.2-22] [MQTT-3.1.3-4] [MQTT-3.1.3-11] Options that no server could accept are refused with the reason"
  )
  func options() throws {
    let cases: [(MQTTOptionsError, (inout MQTTClientOptions) -> Void)] = [
      (
        .emptyClientID,
        {
          $0.clientID = ""; $0.cleanSession = false
        }
      ),
      (.invalidString, { $0.clientID = "a\0b" }), (.invalidString, { $0.username = "\0" }),
      (.invalidString, { $0.clientID = String(repeating: "x", count: 65_536) }),
      (.passwordWithoutUsername, { $0.password = [1] }),
      (.invalidWillTopic, { $0.will = MQTTWill(topic: "a/#", payload: []) }),
      (.invalidCapacity, { $0.receiveCapacity = 0 }), (.invalidCapacity, { $0.outboxCapacity = -1 }),
      (.invalidCapacity, { $0.sendCapacity = 1 }), (.invalidCapacity, { $0.maxInFlight = 0 }),
    ]
    for (error, adjust) in cases {
      #expect(throws: error) { try Harness(adjust) }
    }
    _ = try Harness { $0.clientID = "" }
  }

  @Test("The outbox ring survives any order of acknowledgements")
  func ring() throws {
    for seed in UInt64(0)..<100 {
      var random = SplitMix(state: seed)
      let harness = try Harness {
        $0.outboxCapacity = 400; $0.maxInFlight = 100
      }
      harness.connect()
      var inFlight: [UInt16: [UInt8]] = [:]
      for _ in 0..<200 {
        if random.next() % 2 == 0, let packetID = inFlight.keys.sorted().randomElement(using: &random) {
          inFlight[packetID] = nil
          harness.feed([0x40, 2, UInt8(packetID >> 8), UInt8(packetID & 0xFF)])
        } else {
          let payload = [UInt8](
            repeating: UInt8(truncatingIfNeeded: random.next()), count: Int(random.next() % 60))
          let packetID = try? harness.publish("t", payload, qos: .atLeastOnce)
          if let packetID { inFlight[packetID] = payload }
        }
        _ = harness.takeAll()
      }
      // A reconnect shows what the outbox holds.
      harness.client.transportClosed(now: harness.now)
      harness.waitForOpen()
      harness.connect()
      let resent = harness.takeAll()
      let expected = inFlight.map { publishPacket("t", $0.value, qos: 1, packetID: $0.key) }
      #expect(resent.count == expected.reduce(0) { $0 + $1.count })
    }
  }
}
