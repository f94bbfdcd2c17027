import MQTTCodec

/// A message longer than the receive buffer, of which bytes are thrown away as they come.
struct SkippedPacket {
  var passed = 0
  let length: Int
  /// Where its packet identifier is; nil at QoS 0.
  let packetIDPosition: Int?
  let isExactlyOnce: Bool
  private(set) var packetID: UInt16 = 0

  init(length: Int, packetIDPosition: Int?, isExactlyOnce: Bool) {
    self.length = length
    self.packetIDPosition = packetIDPosition
    self.isExactlyOnce = isExactlyOnce
  }

  var isComplete: Bool { passed == length }

  /// Throws away bytes at the front of what came; answers how many.
  mutating func pass(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    let amount = min(length - passed, bytes.count)
    if let packetIDPosition {
      for offset in 0..<2 {
        let index = packetIDPosition + offset - passed
        if index >= 0, index < amount { packetID |= UInt16(bytes[index]) << (8 * (1 - offset)) }
      }
    }
    passed += amount
    return amount
  }
}

// Messages longer than the receive buffer.
extension MQTTClient {
  /// A message that will not fit: once all before its payload is there, or as much of it as fits, tells of
  /// it and begins to throw it away. Nil while more has to come, and for a QoS 2 message that was told
  /// before.
  @inline(never)
  func beginSkipping(_ header: FixedHeader) throws(MQTTDisconnectReason) -> MQTTEvent? {
    let start = received.head + header.length
    let body = received.bytes(at: start, count: received.count - header.length)
    guard let qos = QoS(rawValue: header.flags >> 1 & 0b11) else { throw .malformed(.invalidQoS) }
    guard let lengths = try lengths(body.span, qos, header.remaining) else { return nil }
    let topicEnd = lengths.topicEnd
    let shown = min(topicEnd, body.count)
    var alias: UInt16 = 0
    if isV5, body.count >= lengths.payloadStart {
      alias = try resolveSkipped(body.span, flags: header.flags)
    } else if shown == topicEnd {
      try checkTopic(body.span.extracting(2..<topicEnd))
    }
    skipping = SkippedPacket(
      length: header.packetLength,
      packetIDPosition: qos == .atMostOnce ? nil : header.length + topicEnd,
      isExactlyOnce: qos == .exactlyOnce)
    if qos == .exactlyOnce, body.count >= topicEnd + 2,
      receivedIDs.contains(UInt16(body[topicEnd]) << 8 | UInt16(body[topicEnd + 1]))
    {
      return nil
    }
    counters.oversized &+= 1
    return .oversized(
      MQTTMessage(
        qos: qos, retain: header.flags & 1 != 0,
        duplicate: header.flags & Publish.duplicateFlag != 0, packetID: 0, topicAlias: alias,
        topicCount: UInt16(truncatingIfNeeded: shown - 2),
        topicStart: Int32(truncatingIfNeeded: start + 2),
        propertiesCount: body.count < lengths.payloadStart
          ? 0 : Int32(truncatingIfNeeded: lengths.properties),
        payloadStart: Int32(truncatingIfNeeded: start + min(lengths.payloadStart, body.count)),
        payloadCount: 0, serial: current.serial),
      payloadLength: header.remaining - lengths.payloadStart)
  }

  /// Where the parts of a message end. Nil while more than its payload is missing and has room. What has
  /// no room is not looked at, unless it may tell what a topic alias stands for.
  private func lengths(
    _ body: Span<UInt8>, _ qos: QoS, _ remaining: Int
  ) throws(MQTTDisconnectReason) -> (topicEnd: Int, properties: Int, payloadStart: Int)? {
    guard body.count >= 2 else { return nil }
    let topicEnd = 2 + (Int(body[0]) << 8 | Int(body[1]))
    var payloadStart = topicEnd + (qos == .atMostOnce ? 0 : 2)
    var properties = 0
    let isFull = received.count == received.capacity
    if isV5 {
      if let length = try lengthOfProperties(body, at: payloadStart) {
        properties = length.value
        payloadStart += length.length + length.value
      } else if !isFull {
        return nil
      }
      guard body.count >= payloadStart || !isFull || options.topicAliasMaximum == 0 else {
        throw .violation(.packetTooLarge)
      }
    }
    guard payloadStart <= remaining else { throw .malformed(.truncated) }
    guard body.count >= payloadStart || isFull else { return nil }
    return (topicEnd, properties, payloadStart)
  }

  private func lengthOfProperties(
    _ body: Span<UInt8>, at position: Int
  ) throws(MQTTDisconnectReason) -> (value: Int, length: Int)? {
    do {
      return try VariableByteInteger.decode(body, at: position)
    } catch {
      throw .malformed(error)
    }
  }

  /// The topic alias of a message of which everything but the payload is there.
  private func resolveSkipped(_ body: Span<UInt8>, flags: UInt8) throws(MQTTDisconnectReason) -> UInt16 {
    let packet: Publish
    do {
      packet = try Publish.decodeV5(body, flags: flags)
    } catch {
      throw .malformed(error)
    }
    guard packet.topic.isEmpty || !packet.properties.isEmpty else { return 0 }
    return try resolveTopic(packet, body)
  }

  private func checkTopic(_ topic: Span<UInt8>) throws(MQTTDisconnectReason) {
    do {
      try TopicName.check(topic)
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
      waitsForRoom = !output.makeRoom(Acknowledgement.encodedLength)
      guard !waitsForRoom else { return false }
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
