import MQTTClient
import MQTTCodec
import Testing

@Suite("Acknowledgements that wait for a handler")
struct PostponedTests {
  private let messages =
    publishPacket("t", [1], qos: 1, packetID: 7) + publishPacket("t", [2], qos: 2, packetID: 8)

  /// A client whose owner postpones everything, and what it has postponed.
  private final class Owner {
    let harness: Harness
    var postponed: [MQTTPostponedAcknowledgement] = []

    init(store: (any MQTTSessionStore)? = nil) throws {
      harness = try Harness(store: store) { $0.cleanSession = false }
      harness.onMessage = { [unowned self] client, _ in
        if let postponed = client.postponeAcknowledgement() { self.postponed.append(postponed) }
      }
      harness.connect()
    }

    func acknowledgeAll() -> [UInt8] {
      for postponed in postponed { #expect(harness.client.acknowledge(postponed)) }
      postponed = []
      return harness.takeAll()
    }
  }

  @Test("[MQTT-4.6.0-2] [MQTT-4.6.0-3] A postponed message is acknowledged when its owner says so")
  func postponed() throws {
    let owner = try Owner()
    owner.harness.feed(messages)
    #expect(owner.harness.seen.count == 2 && owner.harness.takeAll().isEmpty)
    #expect(owner.acknowledgeAll() == [0x40, 2, 0, 7, 0x50, 2, 0, 8])
    owner.harness.feed(publishPacket("t", [2], qos: 2, packetID: 8, flags: 8))
    #expect(owner.harness.seen.count == 2 && owner.harness.takeAll() == [0x50, 2, 0, 8])
    owner.harness.feed([0x62, 2, 0, 8])
    #expect(owner.harness.takeAll() == [0x70, 2, 0, 8])
  }

  @Test("A message of QoS 0 has nothing to be postponed, nor has one after its time")
  func nothing() throws {
    let owner = try Owner()
    owner.harness.feed(publishPacket("t", [1]))
    #expect(owner.postponed.isEmpty)
    #expect(owner.harness.client.postponeAcknowledgement() == nil)
  }

  @Test("Without an acknowledgement the next connection brings both again, and the old ones mean nothing")
  func lost() throws {
    let owner = try Owner()
    owner.harness.feed(messages)
    let old = owner.postponed
    owner.harness.client.transportClosed(now: owner.harness.now)
    owner.harness.pull()
    owner.postponed = []
    owner.harness.waitForOpen()
    owner.harness.connect(sessionPresent: true)
    for postponed in old { #expect(!owner.harness.client.acknowledge(postponed)) }
    #expect(owner.harness.takeAll().isEmpty)
    owner.harness.feed(
      publishPacket("t", [1], qos: 1, packetID: 7, flags: 8)
        + publishPacket("t", [2], qos: 2, packetID: 8, flags: 8))
    #expect(owner.harness.seen.count == 2)
    #expect(owner.acknowledgeAll() == [0x40, 2, 0, 7, 0x50, 2, 0, 8])
  }

  @Test("Those that are acknowledged while another message is handled leave room for its acknowledgement")
  func room() throws {
    let harness = try Harness { $0.sendCapacity = 256 }
    harness.connect()
    var postponed: [MQTTPostponedAcknowledgement] = []
    harness.onMessage = { client, _ in
      if let one = client.postponeAcknowledgement() { postponed.append(one) }
    }
    for packetID in UInt16(1)...100 { harness.feed(publishPacket("t", [], qos: 1, packetID: packetID)) }
    #expect(throws: MQTTPublishError.outputFull) { while true { _ = try harness.publish("t", [1, 2, 3]) } }
    harness.onMessage = { client, _ in
      while let one = postponed.first, client.acknowledge(one) { postponed.removeFirst() }
    }
    harness.feed(publishPacket("t", [], qos: 1, packetID: 500))
    #expect(postponed.count > 80 && harness.takeAll().suffix(4) == [0x40, 2, 1, 0xF4])
  }

  @Test("A store has the identifier of a QoS 2 message from its acknowledgement on")
  func stored() throws {
    let store = StoreInMemory()
    let owner = try Owner(store: store)
    owner.harness.feed(publishPacket("t", [2], qos: 2, packetID: 8))
    _ = owner.harness.takeAll()
    #expect(store.records.isEmpty)
    _ = owner.acknowledgeAll()
    #expect(store.records.count == 1)
  }
}
