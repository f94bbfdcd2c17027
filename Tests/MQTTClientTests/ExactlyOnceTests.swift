import MQTTClient
import MQTTCodec
import Testing

@Suite("QoS 2, byte by byte")
struct ExactlyOnceTests {
  private func lose(_ harness: Harness, sessionPresent: Bool) {
    _ = harness.takeAll()
    harness.client.transportClosed(now: harness.now)
    harness.pull()
    harness.waitForOpen()
    harness.connect(sessionPresent: sessionPresent)
  }

  @Test("[MQTT-4.3.3-1] A message is told of when the server has let go of it")
  func sending() throws {
    let harness = try Harness()
    harness.connect()
    #expect(try harness.publish("t", [9], qos: .exactlyOnce, retain: true) == 1)
    #expect(harness.take() == publishPacket("t", [9], qos: 2, packetID: 1, flags: 1))
    harness.feed([0x50, 2, 0, 1])
    #expect(harness.take() == [0x62, 2, 0, 1] && harness.seen.isEmpty)
    harness.feed([0x70, 2, 0, 1])
    #expect(harness.seen == [.published(1)] && !harness.client.hasOutput)
  }

  @Test("[MQTT-4.3.3-1] PUBREC is answered always, other acknowledgements out of place are ignored")
  func outOfPlace() throws {
    let harness = try Harness()
    harness.connect()
    _ = try harness.publish("t", [1], qos: .exactlyOnce)
    _ = try harness.publish("t", [2], qos: .atLeastOnce)
    _ = harness.takeAll()
    harness.feed([0x70, 2, 0, 1, 0x70, 2, 0, 2, 0x70, 2, 0, 7])
    #expect(harness.seen.isEmpty && !harness.client.hasOutput)
    harness.feed([0x50, 2, 0, 7, 0x50, 2, 0, 1, 0x50, 2, 0, 1])
    #expect(harness.take() == [0x62, 2, 0, 7, 0x62, 2, 0, 1, 0x62, 2, 0, 1])
    harness.feed([0x40, 2, 0, 1, 0x70, 2, 0, 1, 0x70, 2, 0, 1, 0x40, 2, 0, 2])
    #expect(harness.seen == [.published(1), .published(2)])
  }

  @Test("A server without QoS 2 that answers such a message with PUBACK has it: that is its end")
  func answeredAsQoS1() throws {
    let harness = try Harness()
    harness.connect()
    _ = try harness.publish("t", [1], qos: .exactlyOnce)
    _ = try harness.publish("t", [2], qos: .exactlyOnce)
    _ = harness.takeAll()
    harness.feed([0x40, 2, 0, 1, 0x40, 2, 0, 1])
    #expect(harness.seen == [.published(1)] && !harness.client.hasOutput)
    // Not any more when the exchange of QoS 2 has begun.
    harness.feed([0x50, 2, 0, 2, 0x40, 2, 0, 2])
    #expect(harness.take() == [0x62, 2, 0, 2] && harness.seen == [.published(1)])
  }

  @Test(
    "[MQTT-4.4.0-1] [MQTT-4.6.0-1] [MQTT-4.6.0-4] [MQTT-2.3.1-3] With a session, messages and PUBREL go out again in their order"
  )
  func resumed() throws {
    let harness = try Harness { $0.cleanSession = false }
    harness.connect()
    for number in UInt8(1)...4 { _ = try harness.publish("t", [number], qos: .exactlyOnce) }
    _ = harness.takeAll()
    harness.feed([0x50, 2, 0, 1, 0x50, 2, 0, 2, 0x70, 2, 0, 1])
    for _ in 1...3 {
      lose(harness, sessionPresent: true)
      let expected =
        [0x62, 2, 0, 2] + publishPacket("t", [3], qos: 2, packetID: 3, flags: 8)
        + publishPacket("t", [4], qos: 2, packetID: 4, flags: 8)
      #expect(harness.take() == expected)
    }
    harness.feed([0x70, 2, 0, 2, 0x50, 2, 0, 3, 0x70, 2, 0, 3])
    #expect(harness.take() == [0x62, 2, 0, 3] && harness.seen == [.published(2), .published(3)])
  }

  @Test("PUBREC for a message that has not gone out again yet becomes its PUBREL")
  func earlyReceipt() throws {
    let harness = try Harness {
      $0.cleanSession = false
      $0.maxInFlight = 1
    }
    harness.connect()
    for number in UInt8(1)...2 {
      _ = try harness.publish("t", [number], qos: .exactlyOnce)
      harness.feed([0x50, 2, 0, number])
      if number == 1 { harness.feed([0x70, 2, 0, 1]) }
    }
    _ = try harness.publish("t", [3], qos: .atLeastOnce)
    lose(harness, sessionPresent: true)
    #expect(harness.take() == [0x62, 2, 0, 2])
    harness.feed([0x50, 2, 0, 2])
    #expect(harness.take() == [0x62, 2, 0, 2])
    harness.feed([0x70, 2, 0, 2])
    #expect(harness.take() == publishPacket("t", [3], qos: 1, packetID: 3))
  }

  @Test(
    "[MQTT-3.1.2-6] Without a session nothing goes out twice: what the server had is told of, what it may have had too"
  )
  func sessionLost() throws {
    let harness = try Harness {
      $0.cleanSession = false
      $0.maxInFlight = 3
    }
    harness.connect()
    for number in UInt8(1)...4 { _ = try harness.publish("t", [number], qos: .exactlyOnce) }
    _ = harness.takeAll()
    harness.feed([0x50, 2, 0, 2])
    lose(harness, sessionPresent: false)
    harness.pull()
    #expect(harness.take() == publishPacket("t", [4], qos: 2, packetID: 4))
    harness.feed([0x50, 2, 0, 4, 0x70, 2, 0, 4])
    lose(harness, sessionPresent: false)
    #expect(!harness.client.hasOutput)
    #expect(try harness.publish("t", [5], qos: .exactlyOnce) == 5)
  }

  @Test("Every message whose session was lost is told of once")
  func fates() throws {
    let harness = try Harness { $0.cleanSession = false }
    harness.connect()
    for number in UInt8(1)...3 { _ = try harness.publish("t", [number], qos: .exactlyOnce) }
    _ = harness.takeAll()
    harness.feed([0x50, 2, 0, 2])
    harness.client.transportClosed(now: harness.now)
    harness.waitForOpen()
    harness.client.transportOpened(now: harness.now)
    _ = harness.takeAll()
    harness.seen = []
    harness.feed([0x20, 2, 0, 0])
    #expect(
      harness.seen == [
        .connected(false), .publishFailed(1, .sessionLost), .published(2), .publishFailed(3, .sessionLost),
      ])
    harness.feed([0x70, 2, 0, 2])
    #expect(harness.seen.count == 4)
  }

  @Test("[MQTT-4.3.3-2] [MQTT-4.6.0-3] A message is acknowledged after its handler, and delivered once")
  func receiving() throws {
    let harness = try Harness()
    harness.connect()
    let packet = publishPacket("t", [5], qos: 2, packetID: 0x1234)
    _ = harness.client.receive(packet.span, now: harness.now)
    let event = try #require(harness.client.nextEvent(now: harness.now))
    #expect(harness.describe(event) == .message("t", [5], .exactlyOnce) && !harness.client.hasOutput)
    harness.pull()
    #expect(harness.take() == [0x50, 2, 0x12, 0x34])
    harness.feed(publishPacket("t", [5], qos: 2, packetID: 0x1234, flags: 8))
    #expect(harness.seen.isEmpty && harness.take() == [0x50, 2, 0x12, 0x34])
    harness.feed([0x62, 2, 0x12, 0x34, 0x62, 2, 0x12, 0x34])
    #expect(harness.take() == [0x70, 2, 0x12, 0x34, 0x70, 2, 0x12, 0x34])
    harness.feed(packet)
    #expect(harness.seen == [.message("t", [5], .exactlyOnce)])
    #expect(harness.client.counters.received == 2)
  }

  @Test("[MQTT-4.3.3-2] A message is not delivered again on the next connection of the session")
  func receivingResumed() throws {
    for sessionPresent in [true, false] {
      let harness = try Harness { $0.cleanSession = false }
      harness.connect()
      let packet = publishPacket("t", [5], qos: 2, packetID: 65_535)
      _ = harness.client.receive(packet.span, now: harness.now)
      // The connection is lost while the handler runs.
      _ = try #require(harness.client.nextEvent(now: harness.now))
      lose(harness, sessionPresent: sessionPresent)
      harness.feed(publishPacket("t", [5], qos: 2, packetID: 65_535, flags: 8))
      #expect(harness.seen.count == (sessionPresent ? 0 : 1))
      #expect(harness.take() == [0x50, 2, 255, 255])
    }
  }

  @Test("A message too long to be delivered is told of once")
  func oversized() throws {
    let harness = try Harness { $0.receiveCapacity = 64 }
    harness.connect()
    let payload = [UInt8](repeating: 5, count: 500)
    harness.feed(publishPacket("abc", payload, qos: 2, packetID: 0x0102))
    harness.feed(publishPacket("abc", payload, qos: 2, packetID: 0x0102, flags: 8))
    #expect(harness.seen == [.oversized("abc", 500)])
    #expect(harness.take() == [0x50, 2, 1, 2, 0x50, 2, 1, 2])
    #expect(harness.client.counters.oversized == 1)
  }

  @Test("The window counts messages until the server has let go of them, PUBREL does not wait for it")
  func window() throws {
    let harness = try Harness {
      $0.cleanSession = false
      $0.maxInFlight = 2
    }
    harness.connect()
    for number in UInt8(1)...4 { _ = try harness.publish("t", [number], qos: .exactlyOnce) }
    #expect(harness.takeAll().count == 2 * 8)
    harness.feed([0x50, 2, 0, 1, 0x50, 2, 0, 2])
    #expect(harness.takeAll() == [0x62, 2, 0, 1, 0x62, 2, 0, 2])
    lose(harness, sessionPresent: true)
    #expect(harness.takeAll() == [0x62, 2, 0, 1, 0x62, 2, 0, 2])
    harness.feed([0x70, 2, 0, 2])
    #expect(harness.takeAll() == publishPacket("t", [3], qos: 2, packetID: 3))
  }
}
