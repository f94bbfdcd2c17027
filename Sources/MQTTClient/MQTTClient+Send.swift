import MQTTCodec

extension MQTTClient {
  /// Sends a message. QoS 0 needs a connection and answers 0. QoS 1 is kept in the outbox until the
  /// server has it, whatever happens to connections, and answers its packet identifier, which
  /// `.published` carries later.
  ///
  /// Cost: one check of the topic and one copy (QoS 1: two); never allocates. May be called from
  /// inside the handling of an event. [MQTT-4.3.1-1], [MQTT-4.3.2-1], [MQTT-2.3.1-4]
  @discardableResult
  public func publish(
    topic: Span<UInt8>, payload: Span<UInt8>, qos: MQTTQoS = .atMostOnce, retain: Bool = false
  ) throws(MQTTPublishError) -> UInt16 {
    do {
      try TopicName.check(topic)
    } catch {
      throw .invalidTopic(error)
    }
    let length = Publish.encodedLength(topicCount: topic.count, payloadCount: payload.count, qos: qos)
    guard let length, length + Self.reserve <= output.capacity else { throw .tooLarge }
    switch qos {
    case .atMostOnce:
      try publishOnce(topic: topic, payload: payload, retain: retain, length: length)
      counters.sent &+= 1
      return 0
    case .atLeastOnce:
      let packetID = try keep(topic: topic, payload: payload, retain: retain, length: length)
      counters.sent &+= 1
      pump()
      return packetID
    case .exactlyOnce: throw .unsupportedQoS
    }
  }

  private func publishOnce(
    topic: Span<UInt8>, payload: Span<UInt8>, retain: Bool, length: Int
  ) throws(MQTTPublishError) {
    guard state == .connected else {
      counters.dropped &+= 1
      throw .notConnected
    }
    guard output.makeRoom(length + Self.reserve) else {
      counters.dropped &+= 1
      throw .outputFull
    }
    let isWritten = output.write { span throws(EncodingError) in
      try Publish.encode(topic: topic, payload: payload, qos: .atMostOnce, retain: retain, into: &span)
    }
    guard isWritten else { throw .tooLarge }
  }

  private func keep(
    topic: Span<UInt8>, payload: Span<UInt8>, retain: Bool, length: Int
  ) throws(MQTTPublishError) -> UInt16 {
    guard outbox.canEverHold(length) else { throw .tooLarge }
    guard let packetID = packetIDs.next() else {
      counters.dropped &+= 1
      throw .outboxFull
    }
    let offset = outbox.append(packetID: packetID, packetLength: length) { span throws(EncodingError) in
      try Publish.encode(
        topic: topic, payload: payload, qos: .atLeastOnce, retain: retain, packetID: packetID,
        into: &span)
    }
    guard let offset else {
      counters.dropped &+= 1
      throw .outboxFull
    }
    packetIDs.use(packetID, forRecord: offset)
    return packetID
  }

  /// Adds a filter to the table: it is subscribed on every connection whose server does not know it
  /// yet. Meant for set-up: it allocates. [MQTT-3.8.1-1], [MQTT-3.8.3-1]
  @discardableResult
  public func subscribe(
    filter: Span<UInt8>, qos: MQTTQoS = .atMostOnce
  ) throws(MQTTSubscribeError) -> MQTTSubscription {
    guard qos != .exactlyOnce else { throw .unsupportedQoS }
    do {
      try TopicFilter.check(filter)
    } catch {
      throw .invalidFilter(error)
    }
    guard filter.count + 10 + Self.reserve <= output.capacity else { throw .tooLarge }
    let index = subscriptions.add(filter, qos)
    pump()
    return MQTTSubscription(index: index)
  }

  /// There are bytes to be written.
  public var hasOutput: Bool { !output.isEmpty }

  /// Bytes of the longest QoS 0 `PUBLISH` for which there is room now. Who answers messages looks here
  /// before pulling the next one.
  public var outputRoom: Int { max(0, output.capacity - output.count - Self.reserve) }

  /// Gives `body` all bytes that are to be written, in one piece; it answers how many it took. Never
  /// calls `body` without bytes; `body` must not call the client. No copy. Pull events afterwards: what
  /// waited for room can go on.
  public func withOutput(_ body: (Span<UInt8>) -> Int) {
    guard !output.isEmpty else { return }
    let taken = max(0, min(body(output.contents.span), output.count))
    guard taken > 0 else { return }
    output.removeFirst(taken)
    keepAlive.sent(clock)
    if state == .draining {
      if output.isEmpty { close(.disconnected(.requested)) }
    } else {
      pump()
    }
  }

  /// Moves what waits for room or for the window into the output: subscriptions first.
  func pump() {
    guard state == .connected else { return }
    while let index = subscriptions.firstWanted(), sendSubscribe(index) {}
    while outbox.hasUnsent, outbox.inFlight < window, sendOldest() {}
  }

  private func sendOldest() -> Bool {
    outbox.sendNext { packet in
      guard output.makeRoom(packet.count + Self.reserve) else { return false }
      output.append(packet)
      return true
    }
  }

  private func sendSubscribe(_ index: Int) -> Bool {
    let entry = subscriptions.entries[index]
    guard output.makeRoom(entry.filter.count + 10 + Self.reserve), let packetID = packetIDs.next() else {
      return false
    }
    let isWritten = output.write { span throws(EncodingError) in
      try Subscribe.encode(packetID: packetID, filter: entry.filter.span, qos: entry.qos, into: &span)
    }
    guard isWritten else { return false }
    packetIDs.use(packetID, forSubscription: index)
    subscriptions.asked(index, packetID: packetID)
    return true
  }

  /// Queues `PUBACK`; room was made sure of before the message was delivered.
  func acknowledge(_ packetID: UInt16) {
    let isWritten = output.write { span throws(EncodingError) in
      try Acknowledgement(.puback, packetID: packetID).encode(into: &span)
    }
    assert(isWritten)
  }
}
