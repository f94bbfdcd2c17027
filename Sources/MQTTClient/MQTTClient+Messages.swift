import MQTTCodec

extension MQTTClient {
  /// A complete message at the front of the receive buffer. Nil: a QoS 2 message that was delivered
  /// before; it is only acknowledged. [MQTT-4.3.3-2]
  func deliver(_ header: FixedHeader) throws(MQTTDisconnectReason) -> MQTTEvent? {
    let start = received.head + header.length
    let packet: Publish
    do {
      packet = try Publish.decode(
        received.bytes(at: start, count: header.remaining).span, flags: header.flags)
    } catch {
      throw .malformed(error)
    }
    if packet.qos == .exactlyOnce {
      if receivedIDs.contains(packet.packetID) {
        received.removeFirst(header.packetLength)
        acknowledge(.pubrec, packet.packetID)
        return nil
      }
      receivedIDs.insert(packet.packetID)
      if let stored { keepReceived(stored, packet.packetID) }
      current.isExactlyOnce = true
    }
    counters.received &+= 1
    current.length = header.packetLength
    current.packetID = packet.packetID
    return .message(
      MQTTMessage(
        qos: packet.qos, retain: packet.retain, duplicate: packet.duplicate,
        packetID: packet.packetID, topicCount: UInt16(truncatingIfNeeded: packet.topic.count),
        topicStart: Int32(truncatingIfNeeded: start + packet.topic.lowerBound),
        payloadStart: Int32(truncatingIfNeeded: start + packet.payload.lowerBound),
        payloadCount: Int32(truncatingIfNeeded: packet.payload.count), serial: current.serial))
  }

  /// A message that will not fit: once its topic is there, or as much of it as fits, tells of it and
  /// begins to throw it away. Nil while more has to come, and for a QoS 2 message that was told before.
  func beginSkipping(_ header: FixedHeader) throws(MQTTDisconnectReason) -> MQTTEvent? {
    let available = received.count
    let topicStart = header.length + 2
    guard available >= topicStart else { return nil }
    let bytes = received.contents
    let topicCount = Int(bytes[header.length]) << 8 | Int(bytes[header.length + 1])
    guard let qos = QoS(rawValue: header.flags >> 1 & 0b11) else { throw .malformed(.invalidQoS) }
    let payloadStart = topicStart + topicCount + (qos == .atMostOnce ? 0 : 2)
    guard payloadStart <= header.packetLength else { throw .malformed(.truncated) }
    let needed = qos == .exactlyOnce ? payloadStart : topicStart + topicCount
    guard available >= min(needed, received.capacity) else { return nil }
    let shown = min(topicCount, available - topicStart)
    if shown == topicCount { try checkTopic(bytes, topicStart, topicCount) }
    skipping = SkippedPacket(
      length: header.packetLength,
      packetIDPosition: qos == .atMostOnce ? nil : topicStart + topicCount,
      isExactlyOnce: qos == .exactlyOnce)
    if qos == .exactlyOnce, available >= payloadStart {
      let packetID = UInt16(bytes[payloadStart - 2]) << 8 | UInt16(bytes[payloadStart - 1])
      if receivedIDs.contains(packetID) { return nil }
    }
    counters.oversized &+= 1
    let position = received.head + topicStart
    return .oversized(
      MQTTMessage(
        qos: qos, retain: header.flags & 1 != 0,
        duplicate: header.flags & Publish.duplicateFlag != 0, packetID: 0,
        topicCount: UInt16(truncatingIfNeeded: shown),
        topicStart: Int32(truncatingIfNeeded: position),
        payloadStart: Int32(truncatingIfNeeded: position), payloadCount: 0, serial: current.serial),
      payloadLength: header.packetLength - payloadStart)
  }

  private func checkTopic(
    _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ count: Int
  ) throws(MQTTDisconnectReason) {
    do {
      try TopicName.check(bytes.span.extracting(start..<start + count))
    } catch {
      throw .malformed(error)
    }
  }

  /// Throws away more of a message that does not fit, and acknowledges it at its end. False while more
  /// has to come.
  func skipMore() throws(MQTTDisconnectReason) -> Bool {
    guard var packet = skipping else { return true }
    if packet.passed == 0 { current.serial &+= 1 }
    received.removeFirst(packet.pass(received.contents))
    skipping = packet
    guard packet.isComplete else { return false }
    if packet.packetIDPosition != nil {
      guard packet.packetID != 0 else { throw .malformed(.zeroPacketID) }
      guard output.makeRoom(Acknowledgement.encodedLength) else { return false }
      if packet.isExactlyOnce {
        if let stored, !receivedIDs.contains(packet.packetID) { keepReceived(stored, packet.packetID) }
        receivedIDs.insert(packet.packetID)
      }
      acknowledge(packet.isExactlyOnce ? .pubrec : .puback, packet.packetID)
    }
    skipping = nil
    return true
  }
}
