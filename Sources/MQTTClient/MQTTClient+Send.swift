import MQTTCodec

extension MQTTClient {
  /// Sends a message. QoS 0 needs a connection and answers 0. QoS 1 and 2 are kept in the outbox until
  /// the server has them, whatever happens to connections, and answer their packet identifier, which
  /// `.published` carries later. With `durability` `.disk`, or where the options say so, they are kept in
  /// the store too; one that has to wait there for room in the outbox answers 0.
  ///
  /// QoS 2 is exactly once as long as the server keeps the session (`cleanSession` is false). A server
  /// that has lost it says nothing about what was under way: then `.publishFailed` tells of it.
  ///
  /// Cost: one check of the topic and one copy (QoS 1 and 2: two); never allocates. May be called from
  /// inside the handling of an event. [MQTT-4.3.1-1], [MQTT-4.3.2-1], [MQTT-4.3.3-1], [MQTT-2.3.1-4]
  @discardableResult
  public func publish(
    topic: Span<UInt8>, payload: Span<UInt8>, qos: MQTTQoS = .atMostOnce, retain: Bool = false,
    durability: MQTTDurability? = nil
  ) throws(MQTTPublishError) -> UInt16 {
    do {
      try TopicName.check(topic)
    } catch {
      throw .invalidTopic(error)
    }
    let room = topic.count + payload.count + Self.overhead
    guard room + Self.reserve <= output.capacity, room <= VariableByteInteger.max else { throw .tooLarge }
    var packetID: UInt16 = 0
    if qos == .atMostOnce {
      try publishOnce(topic: topic, payload: payload, retain: retain, room: room)
    } else if let stored, case .disk(let priority) = durability ?? stored.durability(of: topic) {
      packetID = try keepOnDisk(
        stored, priority, topic: topic, properties: Span(), payload: payload, qos: qos, retain: retain)
    } else {
      packetID = try keep(topic: topic, payload: payload, qos: qos, retain: retain, room: room)
    }
    counters.sent &+= 1
    return packetID
  }

  @inline(__always)
  private func publishOnce(
    topic: Span<UInt8>, payload: Span<UInt8>, retain: Bool, room: Int
  ) throws(MQTTPublishError) {
    guard state == .connected else { throw refusal(.notConnected) }
    guard output.makeRoom(room + Self.reserve) else { throw refusal(.outputFull) }
    _ = output.write { span throws(EncodingError) in
      try Publish.encode(topic: topic, payload: payload, qos: .atMostOnce, retain: retain, into: &span)
    }
  }

  /// Writes a `PUBLISH` of QoS 1 or 2 for which there is room.
  @inline(never)
  private func write(
    topic: Span<UInt8>, payload: Span<UInt8>, _ qos: QoS, retain: Bool, duplicate: Bool, _ packetID: UInt16
  ) -> Bool {
    output.write { span throws(EncodingError) in
      try Publish.encode(
        topic: topic, payload: payload, qos: qos, retain: retain, duplicate: duplicate,
        packetID: packetID, into: &span)
    }
  }

  /// The message is lost for a reason that may pass.
  @inline(never)
  private func refusal(_ error: MQTTPublishError) -> MQTTPublishError {
    counters.dropped &+= 1
    return error
  }

  @inline(__always)
  private func keep(
    topic: Span<UInt8>, payload: Span<UInt8>, qos: QoS, retain: Bool, room: Int
  ) throws(MQTTPublishError) -> UInt16 {
    guard outbox.canEverHold(topic.count + payload.count) else { throw .tooLarge }
    guard let packetID = packetIDs.next() else { throw refusal(.outboxFull) }
    let offset = outbox.append(
      packetID: packetID, qos: qos, retain: retain, topic: topic, properties: Span(), payload: payload)
    guard let offset else { throw refusal(.outboxFull) }
    packetIDs.use(packetID, forRecord: offset)
    // At once, unless others have to go first.
    if state == .connected, outbox.isNext(offset), outbox.inFlight < window,
      output.makeRoom(room + Self.reserve),
      write(topic: topic, payload: payload, qos, retain: retain, duplicate: false, packetID)
    {
      outbox.sent()
    } else {
      pump()
    }
    return packetID
  }

  /// There are bytes to be written.
  public var hasOutput: Bool { !output.isEmpty }

  /// Bytes of topic and payload of the longest QoS 0 message for which there is room now. Who answers
  /// messages looks here before pulling the next one.
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
    guard taken > 0 else { return }
    output.removeFirst(taken)
    stored?.left(taken)
    keepAlive.sent(clock)
    if state == .draining {
      if output.isEmpty { close(.disconnected(.requested)) }
    } else {
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
    while let offset = outbox.nextUnsent(), send(offset) { outbox.sent() }
  }

  /// The next message of the outbox, or its `PUBREL`. False when it has to wait.
  private func send(_ offset: Int) -> Bool {
    let record = outbox.record(at: offset)
    guard record.state == .waiting else {
      guard output.makeRoom(Acknowledgement.encodedLength + Self.reserve) else { return false }
      acknowledge(.pubrel, record.packetID)
      return true
    }
    guard outbox.inFlight < window else { return false }
    return outbox.withMessage(at: offset) { topic, _, payload in
      guard output.makeRoom(topic.count + payload.count + Self.overhead + Self.reserve) else {
        return false
      }
      return write(
        topic: topic, payload: payload, record.qos, retain: record.retain, duplicate: record.wasSent,
        record.packetID)
    }
  }

  /// Queues an answer; room was made sure of before what it answers was looked at.
  func acknowledge(_ type: PacketType, _ packetID: UInt16) {
    let isWritten = output.write { span throws(EncodingError) in
      try Acknowledgement(type, packetID: packetID).encode(into: &span)
    }
    assert(isWritten)
  }
}
