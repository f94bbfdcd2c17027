import MQTTCodec

extension MQTTClient {
  /// Sends a message. QoS 0 needs a connection and answers 0. QoS 1 and 2 are kept in the outbox until
  /// the server has them, whatever happens to connections, and answer their packet identifier, which
  /// `.published` or `.publishFailed` carries later. With `durability` `.disk`, or where the options say so,
  /// they are kept in the store too; one that has to wait there for room in the outbox answers 0.
  ///
  /// QoS 2 is exactly once as long as the server keeps the session (`cleanSession` is false). A server
  /// that has lost it says nothing about what was under way: then `.publishFailed` tells of it.
  ///
  /// `properties` are those of 5.0, encoded; a connection of 3.1.1 leaves them out. A Message Expiry Interval
  /// counts from here on (in a store, from when it is read back): what waits longer is given up.
  ///
  /// Cost: one check of the topic and one copy (QoS 1 and 2: two); never allocates. May be called from
  /// inside the handling of an event. [MQTT-4.3.1-1], [MQTT-4.3.2-1], [MQTT-4.3.3-1], [MQTT-2.3.1-4]
  @discardableResult
  public func publish(
    topic: Span<UInt8>, payload: Span<UInt8>, qos: MQTTQoS = .atMostOnce, retain: Bool = false,
    properties: Span<UInt8> = Span(), durability: MQTTDurability? = nil
  ) throws(MQTTPublishError) -> UInt16 {
    do {
      try TopicName.check(topic)
    } catch {
      throw .invalidTopic(error)
    }
    let properties = MQTTVersion.hasV5 ? properties : Span()
    if !properties.isEmpty, try Self.checkProperties(properties) { hasNewExpiries = true }
    let room = topic.count + properties.count + payload.count + Self.overhead
    guard room + Self.reserve <= output.capacity, room <= VariableByteInteger.max else { throw .tooLarge }
    if MQTTVersion.hasV5, isLimited, state == .connected,
      let obstacle = obstacle(topic, properties, payload, qos, retain: retain)
    {
      throw .unsupported(obstacle)
    }
    var packetID: UInt16 = 0
    if qos == .atMostOnce {
      guard state == .connected else { throw refusal(.notConnected) }
      guard output.makeRoom(room + Self.reserve) else { throw refusal(.outputFull) }
      if MQTTVersion.hasV5, sentAliases.isEnabled {
        _ = write(topic, properties, payload, .atMostOnce, retain: retain, duplicate: false, 0)
      } else if isV5 {
        _ = output.write { span throws(EncodingError) in
          try Publish.encodeV5(
            topic: topic, properties: properties, payload: payload, qos: .atMostOnce, retain: retain,
            into: &span)
        }
      } else {
        _ = output.write { span throws(EncodingError) in
          try Publish.encode(topic: topic, payload: payload, qos: .atMostOnce, retain: retain, into: &span)
        }
      }
    } else if let stored, case .disk(let priority) = durability ?? stored.durability(of: topic) {
      packetID = try keepOnDisk(
        stored, priority, topic: topic, properties: properties, payload: payload, qos: qos, retain: retain)
    } else {
      packetID = try keep(topic, properties, payload, qos, retain: retain, room: room)
    }
    counters.sent &+= 1
    return packetID
  }

  /// The message is lost for a reason that may pass.
  @inline(never)
  private func refusal(_ error: MQTTPublishError) -> MQTTPublishError {
    counters.dropped &+= 1
    return error
  }

  /// What a client may say of a message; topic aliases are ours to give. True: it expires. [MQTT5-3.3.4-6]
  @inline(never)
  static func checkProperties(_ properties: Span<UInt8>) throws(MQTTPublishError) -> Bool {
    var expires = false
    var isAllowed = properties.count <= Int(UInt16.max)
    do throws(MalformedPacket) {
      try Properties.check(properties, for: .publish)
      var position = 0
      while let property = try Properties.next(properties, at: &position) {
        if property.id == .messageExpiryInterval { expires = true }
        if property.id == .topicAlias || property.id == .subscriptionIdentifier { isAllowed = false }
      }
    } catch {
      isAllowed = false
    }
    guard isAllowed else { throw .invalidProperties }
    return expires
  }

  /// Why the server does not take a message, if so. [MQTT5-3.2.2-11], [MQTT5-3.2.2-14], [MQTT5-3.2.2-15]
  @inline(never)
  private func obstacle(
    _ topic: Span<UInt8>, _ properties: Span<UInt8>, _ payload: Span<UInt8>, _ qos: QoS, retain: Bool
  ) -> MQTTReasonCode? {
    if qos > serverLimits.maximumQoS { return .qosNotSupported }
    if retain, !serverLimits.retainAvailable { return .retainNotSupported }
    let length = Publish.encodedLengthV5(
      topicCount: topic.count, payloadCount: payload.count, propertiesCount: properties.count, qos: qos)
    // A new alias would make it longer by 3 bytes: then it gets none.
    guard let length, UInt32(clamping: length) <= serverLimits.maximumPacketSize else {
      return .packetTooLarge
    }
    return nil
  }

  @inline(__always)
  private func keep(
    _ topic: Span<UInt8>, _ properties: Span<UInt8>, _ payload: Span<UInt8>, _ qos: QoS, retain: Bool,
    room: Int
  ) throws(MQTTPublishError) -> UInt16 {
    guard outbox.canEverHold(topic.count + properties.count + payload.count) else { throw .tooLarge }
    guard let packetID = packetIDs.next() else { throw refusal(.outboxFull) }
    let offset = outbox.append(
      packetID: packetID, qos: qos, retain: retain, topic: topic, properties: properties, payload: payload)
    guard let offset else { throw refusal(.outboxFull) }
    packetIDs.use(packetID, offset)
    // At once, unless others have to go first.
    if state == .connected, outbox.isNext(offset), outbox.inFlight < window,
      output.makeRoom(room + Self.reserve),
      writeKept(topic, properties, payload, qos, retain: retain, duplicate: false, packetID)
    {
      outbox.sent()
    } else {
      pump()
    }
    return packetID
  }

  /// Writes a message of QoS 1 or 2 for which there is room.
  @inline(__always)
  private func writeKept(
    _ topic: Span<UInt8>, _ properties: Span<UInt8>, _ payload: Span<UInt8>, _ qos: QoS, retain: Bool,
    duplicate: Bool, _ packetID: UInt16
  ) -> Bool {
    guard let rewriter else {
      return write(topic, properties, payload, qos, retain: retain, duplicate: duplicate, packetID)
    }
    return rewriter.rewrite(properties, payload) { properties, payload in
      write(topic, properties, payload, qos, retain: retain, duplicate: duplicate, packetID)
    }
  }

  /// Writes a `PUBLISH` for which there is room.
  @inline(never)
  private func write(
    _ topic: Span<UInt8>, _ properties: Span<UInt8>, _ payload: Span<UInt8>, _ qos: QoS, retain: Bool,
    duplicate: Bool, _ packetID: UInt16
  ) -> Bool {
    if isV5 {
      return writeV5(topic, properties, payload, qos, retain: retain, duplicate: duplicate, packetID)
    }
    return output.write { span throws(EncodingError) in
      try Publish.encode(
        topic: topic, payload: payload, qos: qos, retain: retain, duplicate: duplicate,
        packetID: packetID, into: &span)
    }
  }

  /// Writes a `PUBLISH` of 5.0 for which there is room, with an alias for its topic if there is one.
  @inline(__always)
  private func writeV5(
    _ topic: Span<UInt8>, _ properties: Span<UInt8>, _ payload: Span<UInt8>, _ qos: QoS, retain: Bool,
    duplicate: Bool, _ packetID: UInt16
  ) -> Bool {
    var alias: UInt16 = 0
    var count = topic.count
    if sentAliases.isEnabled { count = takeAlias(topic, properties.count + payload.count, &alias) }
    return output.write { span throws(EncodingError) in
      try Publish.encodeV5(
        topic: topic.extracting(first: count), properties: properties, payload: payload, qos: qos,
        retain: retain, duplicate: duplicate, packetID: packetID, topicAlias: alias, into: &span)
    }
  }

  /// Looks for an alias and answers how much of the topic is left to be sent.
  @inline(never)
  private func takeAlias(_ topic: Span<UInt8>, _ others: Int, _ alias: inout UInt16) -> Int {
    // Where a few bytes more could be too many, nobody needs an alias.
    guard topic.count + others + Self.overhead <= Int(clamping: serverLimits.maximumPacketSize),
      let found = sentAliases.alias(of: topic)
    else { return topic.count }
    alias = found.alias
    if found.isKnown { counters.aliased &+= 1 }
    return found.isKnown ? 0 : topic.count
  }

  /// There are bytes to be written.
  public var hasOutput: Bool { !output.isEmpty }

  /// Bytes of topic, properties and payload of the longest QoS 0 message for which there is room now. Who
  /// answers messages looks here before pulling the next one.
  public var outputRoom: Int { max(0, output.capacity - output.count - Self.reserve - Self.overhead) }

  /// Gives `body` all bytes that are to be written, in one piece; it answers how many it took. Never
  /// calls `body` without bytes; `body` must not call the client. No copy. Pull events afterwards: what
  /// waited for room can go on.
  public func withOutput(_ body: (Span<UInt8>) -> Int) {
    guard !output.isEmpty else { return }
    var count = output.count
    if let stored {
      count = committedOutput(stored)
      guard count > 0 else { return }
    }
    let taken = max(0, min(body(output.contents.span.extracting(first: count)), count))
    isStuck = taken < count
    guard taken > 0 else { return }
    output.removeFirst(taken)
    stored?.left(taken)
    keepAlive.sent(clock)
    if state == .connected { noteAwaited() }
    switch state {
    case .draining:
      if output.isEmpty { close(.disconnected(.requested)) }
    case .parting:
      if output.isEmpty { state = .closing }
    default:
      if MQTTVersion.hasV5, authentication.waiting != nil { flushAuthentication() }
      pump()
    }
  }

  /// Bytes of a `PUBLISH` beside topic, properties and payload, at most: header, length of the topic,
  /// packet identifier, length of the properties, topic alias.
  private static let overhead = 5 + 2 + 2 + 4 + 3

  /// Moves what waits for room or for the window into the output: subscriptions first.
  @inline(__always)
  func pump() {
    if outbox.hasUnsent || subscriptions.hasUnsent { pumpAll() }
  }

  @inline(never)
  private func pumpAll() {
    guard state == .connected else { return }
    if subscriptions.hasUnsent { sendSubscriptions() }
    while let offset = outbox.nextUnsent(), send(offset) {}
  }

  /// The next message of the outbox, or its `PUBREL`. False when it has to wait.
  private func send(_ offset: Int) -> Bool {
    let record = outbox.record(at: offset)
    guard record.state == .waiting else {
      guard output.makeRoom(Acknowledgement.encodedLength + Self.reserve) else { return false }
      acknowledge(.pubrel, record.packetID)
      outbox.sent()
      return true
    }
    guard outbox.inFlight < window else { return false }
    return MQTTVersion.hasV5 && record.expires ? sendExpiring(offset, record) : sendMessage(offset, record)
  }

  /// A message that expires has what is left of its time. One whose time is over is given up, unless the server
  /// may have it: then it has to be sent again, and expires a second later. [MQTT5-4.4.0-1]
  @inline(never)
  private func sendExpiring(_ offset: Int, _ record: Outbox.Record) -> Bool {
    let left = outbox.secondsLeft(at: offset, now: UInt32(truncatingIfNeeded: clock / 1000)) ?? 1
    if left <= 0, !record.wasSent {
      outbox.expire()
      return true
    }
    return outbox.withExpiry(UInt32(max(1, left)), at: offset) { sendMessage(offset, record) }
  }

  private func sendMessage(_ offset: Int, _ record: Outbox.Record) -> Bool {
    var refusal: MQTTReasonCode?
    let isWritten = outbox.withMessage(at: offset) { topic, properties, payload in
      if MQTTVersion.hasV5, isLimited {
        refusal = obstacle(topic, properties, payload, record.qos, retain: record.retain)
      }
      let room = topic.count + properties.count + payload.count + Self.overhead
      guard refusal == nil, output.makeRoom(room + Self.reserve) else { return false }
      return writeKept(
        topic, properties, payload, record.qos, retain: record.retain, duplicate: record.wasSent,
        record.packetID)
    }
    if MQTTVersion.hasV5, let refusal {
      outbox.refuse(refusal)
    } else if isWritten {
      outbox.sent()
    }
    return isWritten || refusal != nil
  }
}
