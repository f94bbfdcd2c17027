import MQTTCodec

// Messages, in both directions.
extension LoopbackServer {
  func publish(_ body: [UInt8], _ flags: UInt8) throws(MalformedPacket) {
    let packet =
      version == .v5
      ? try Publish.decodeV5(body.span, flags: flags) : try Publish.decode(body.span, flags: flags)
    let (topic, properties) = try readTopic(body, packet)
    let message = Message(
      topic: topic, payload: [UInt8](body[packet.payload]), qos: packet.qos, retain: packet.retain,
      duplicate: packet.duplicate, packetID: packet.packetID, properties: properties)
    published.append(message)
    if packet.qos != .atMostOnce {
      unsettled.insert(packet.packetID)
      if unsettled.count > receiveMaximum { faults.append("more than \(receiveMaximum) messages at a time") }
    }
    if packet.qos == .exactlyOnce {
      guard isNew(message) else { return acknowledge(packet.packetID, .pubrec) }
      received[packet.packetID] = message
    }
    accepted.append(message)
    if packet.qos != .atMostOnce, !withholdsAcknowledgements {
      acknowledge(packet.packetID, packet.qos == .atLeastOnce ? .puback : .pubrec)
    }
    if packet.retain { retained[message.topic] = message.payload.isEmpty ? nil : message }
    var forwarded = message
    forwarded.duplicate = false
    route(forwarded)
  }

  /// The topic, which an alias may stand for, and the other properties.
  private func readTopic(
    _ body: [UInt8], _ packet: Publish
  ) throws(MalformedPacket) -> (String, [UInt8]) {
    let topic = String(decoding: body[packet.topic], as: UTF8.self)
    let properties = [UInt8](body[packet.properties])
    var others: [UInt8] = []
    var alias: UInt16 = 0
    var position = 0
    var start = 0
    while let property = try Properties.next(properties.span, at: &position) {
      if property.id == .topicAlias {
        alias = UInt16(property.number)
      } else {
        others += properties[start..<position]
      }
      start = position
    }
    if alias > topicAliasMaximum { faults.append("topic alias \(alias)") }
    if alias > 0, !topic.isEmpty { receivedAliases[alias] = topic }
    guard topic.isEmpty else { return (topic, others) }
    guard let known = receivedAliases[alias] else {
      faults.append("topic alias \(alias) stands for nothing")
      return ("", others)
    }
    return (known, others)
  }

  /// Whether a QoS 2 message is none that we have, and whether it says the truth about that.
  private func isNew(_ message: Message) -> Bool {
    guard let earlier = received[message.packetID] else { return true }
    if !message.duplicate || earlier.payload != message.payload {
      faults.append("packet identifier \(message.packetID) given twice")
    }
    return false
  }

  func settle(_ type: PacketType, _ packetID: UInt16) {
    defer { transmitUnsent() }
    switch type {
    case .pubrel:
      received[packetID] = nil
      acknowledge(packetID, .pubcomp)
    case .pubcomp: unreleased.removeAll { $0 == packetID }
    default:
      guard let index = unacknowledged.firstIndex(where: { $0.packetID == packetID }), index < unsent else {
        return
      }
      let message = unacknowledged.remove(at: index)
      unsent -= 1
      guard message.qos == (type == .pubrec ? .exactlyOnce : .atLeastOnce) else {
        faults.append("\(type) for a message of \(message.qos)")
        return
      }
      guard type == .pubrec else { return }
      unreleased.append(packetID)
      acknowledge(packetID, .pubrel)
    }
  }

  /// Only messages that were kept for the subscriber carry the retain flag ([MQTT-3.3.1-9]).
  func route(_ message: Message, isKept: Bool = false) {
    let topic = [UInt8](message.topic.utf8)
    let matching = subscriptions.filter { TopicFilter.matches($0.filter.span, topic: topic.span) }
    guard isConnected || keepsSession, let granted = matching.map(\.qos).max() else { return }
    var copy = message
    copy.qos = min(message.qos, granted)
    copy.retain = isKept
    copy.duplicate = message.duplicate && !isKept
    guard copy.qos != .atMostOnce else {
      if isConnected { transmit(copy) }
      return
    }
    lastPacketID = lastPacketID == .max ? 1 : lastPacketID + 1
    copy.packetID = lastPacketID
    unacknowledged.append(copy)
    transmitUnsent()
  }

  /// As many as the client takes. What was sent on an earlier connection carries DUP.
  func transmitUnsent() {
    while isConnected, unsent < unacknowledged.count, unsent + unreleased.count < clientReceiveMaximum {
      transmit(unacknowledged[unsent])
      unacknowledged[unsent].duplicate = true
      unsent += 1
    }
  }

  private func transmit(_ message: Message) {
    var topic = [UInt8](message.topic.utf8)
    guard version == .v5 else {
      return write(capacity: topic.count + message.payload.count + 16) { span throws(EncodingError) in
        try Publish.encode(
          topic: topic.span, payload: message.payload.span, qos: message.qos, retain: message.retain,
          duplicate: message.duplicate, packetID: message.packetID, into: &span)
      }
    }
    var alias = 0
    if usesAliases, let known = sentAliases.firstIndex(of: message.topic) {
      alias = known + 1
      topic = []
    } else if usesAliases, sentAliases.count < clientAliasMaximum {
      sentAliases.append(message.topic)
      alias = sentAliases.count
    }
    write(capacity: topic.count + message.properties.count + message.payload.count + 32) {
      span throws(EncodingError) in
      try Publish.encodeV5(
        topic: topic.span, properties: message.properties.span, payload: message.payload.span,
        qos: message.qos, retain: message.retain, duplicate: message.duplicate, packetID: message.packetID,
        topicAlias: UInt16(alias), into: &span)
    }
  }
}
