import MQTTCodec

// Messages that come.
extension MQTTClient {
  /// A complete message at the front of the receive buffer. Nil: a QoS 2 message that was delivered
  /// before; it is only acknowledged. [MQTT-4.3.3-2], [MQTT5-4.3.3-10]
  func deliver(_ header: FixedHeader) throws(MQTTDisconnectReason) -> MQTTEvent? {
    let start = received.head + header.length
    let body = received.bytes(at: start, count: header.remaining)
    let packet: Publish
    do {
      packet =
        isV5
        ? try Publish.decodeV5(body.span, flags: header.flags)
        : try Publish.decode(body.span, flags: header.flags)
    } catch {
      throw .malformed(error)
    }
    var alias: UInt16 = 0
    if isV5, packet.topic.isEmpty || !packet.properties.isEmpty {
      alias = try resolveTopic(packet, body.span)
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
        packetID: packet.packetID, topicAlias: alias,
        topicCount: UInt16(truncatingIfNeeded: packet.topic.count),
        topicStart: Int32(truncatingIfNeeded: start + packet.topic.lowerBound),
        propertiesCount: Int32(truncatingIfNeeded: packet.properties.count),
        payloadStart: Int32(truncatingIfNeeded: start + packet.payload.lowerBound),
        payloadCount: Int32(truncatingIfNeeded: packet.payload.count), serial: current.serial))
  }

  /// What a message's topic alias means: 0 when its topic is there, which the alias stands for from now
  /// on, else the alias. [MQTT5-3.3.2-8], [MQTT5-3.3.2-10]
  @inline(never)
  func resolveTopic(
    _ packet: Publish, _ body: Span<UInt8>
  ) throws(MQTTDisconnectReason) -> UInt16 {
    var alias: UInt16 = 0
    try readProperties(body.extracting(packet.properties)) { property, _ in
      if property.id == .topicAlias { alias = UInt16(truncatingIfNeeded: property.number) }
    }
    guard alias != 0 else {
      guard !packet.topic.isEmpty else { throw .violation(.protocolError) }
      return 0
    }
    guard receivedAliases.isAllowed(alias) else { throw .violation(.topicAliasInvalid) }
    guard packet.topic.isEmpty else {
      receivedAliases.set(alias, to: body.extracting(packet.topic))
      return 0
    }
    guard !receivedAliases.topic(alias).isEmpty else { throw .violation(.protocolError) }
    return alias
  }
}
