import MQTTCodec

/// The packet at the front of the receive buffer that was delivered and is dealt with at the next call.
struct CurrentPacket {
  /// Its length, 0 when there is none.
  var length = 0
  /// To be acknowledged, 0 when not.
  var packetID: UInt16 = 0
  var isExactlyOnce = false
  var serial: UInt32 = 0
}

extension MQTTClient {
  /// Lets `body` read from the socket straight into the receive buffer; it answers how many bytes it
  /// wrote. Answers the same. Not called, and 0, when there is no room: pull events first. No copy but
  /// for an incomplete packet that is moved to the start of the buffer now and then.
  @discardableResult
  public func withReceiveBuffer(_ body: (inout MutableSpan<UInt8>) -> Int) -> Int {
    guard canReceive else { return 0 }
    // What was delivered stays where it is until its handler is done.
    let holdsMessage = current.length > 0 || skipping?.passed == 0
    if !holdsMessage, received.room < received.capacity / 2 { received.compact() }
    guard received.room > 0 else { return 0 }
    let count = received.append(body)
    if count > 0 { hasReceived = true }
    return count
  }

  /// Copies bytes from the socket in; answers how many there was room for. Pull events, then give the
  /// rest.
  public func receive(_ bytes: Span<UInt8>, now: UInt64) -> Int {
    let count = withReceiveBuffer { buffer in
      let count = min(buffer.count, bytes.count)
      bytes.extracting(first: count).withUnsafeBytes { source in
        buffer.withUnsafeMutableBytes { $0.copyMemory(from: source) }
      }
      return count
    }
    observe(now)
    return count
  }

  var canReceive: Bool { state == .connecting || state == .connected }

  /// The next thing to tell; pull until nil. A message of QoS 1 or 2 is acknowledged when this is called
  /// again, so that a crash in its handler does not lose it. A QoS 2 message is never told twice.
  ///
  /// While the output has no room for an acknowledgement the server has to wait: nil, and more after
  /// `withOutput`, so pull after writing as well as after reading.
  ///
  /// Cost: linear in the topic of a message, constant else. Never allocates.
  public func nextEvent(now: UInt64) -> MQTTEvent? {
    observe(now)
    finishCurrent()
    eventProperties = 0..<0
    if pendingEvent != nil || stored != nil || outbox.untold > 0 || MQTTVersion.hasV5 && hasUnavailable,
      let event = nextNews()
    {
      return event
    }
    // Almost all that comes is one of these. Whatever is unusual about a packet, its mistakes too, is for
    // `nextPacket`.
    while state == .connected, skipping == nil, let word = received.firstWord,
      output.makeRoom(Self.answerRoom)
    {
      if isShortAcknowledgement(word) {
        if let event = acknowledged(word) { return event }
      } else if let event = shortMessage(word) {
        return event
      } else {
        break
      }
    }
    return nextOfAny()
  }

  /// What does not come from the server, or came earlier.
  @inline(never)
  private func nextNews() -> MQTTEvent? {
    if state != .parting, let event = pendingEvent {
      pendingEvent = nil
      return event
    }
    if let stored, let event = nextStoreEvent(stored) { return event }
    return nextFate()
  }

  @inline(never)
  private func nextOfAny() -> MQTTEvent? {
    while canReceive {
      do {
        return try nextPacket()
      } catch {
        if passesOver() { continue }
        close(
          state == .connected ? .disconnected(error) : .connectionFailed(error),
          telling: error.reasonCode)
        return nextNews()
      }
    }
    return nil
  }

  /// Gives `body` topic and payload of a message that the latest `nextEvent` answered. They are not
  /// copied and end with the call.
  public func withMessage<R, E: Error>(
    _ message: MQTTMessage, _ body: (_ topic: Span<UInt8>, _ payload: Span<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    precondition(message.serial == current.serial, "the message is gone: a later event was pulled")
    let topic =
      message.topicAlias == 0 || !MQTTVersion.hasV5
      ? received.bytes(at: Int(message.topicStart), count: Int(message.topicCount))
      : receivedAliases.topic(message.topicAlias)
    let payload = received.bytes(at: Int(message.payloadStart), count: Int(message.payloadCount))
    return try body(topic.span, payload.span)
  }

  /// The handler of the delivered packet is done: acknowledges it and frees its bytes.
  func finishCurrent() {
    guard current.length > 0 else { return }
    received.removeFirst(current.length)
    if current.packetID != 0 {
      acknowledge(current.isExactlyOnce ? .pubrec : .puback, current.packetID)
    }
    current = CurrentPacket(serial: current.serial &+ 1)
  }

  private func nextPacket() throws(MQTTDisconnectReason) -> MQTTEvent? {
    while true {
      if skipping != nil {
        guard try skipMore() else { return nil }
      }
      // Whatever comes may have to be answered; without room for that the server has to wait.
      waitsForRoom = !output.makeRoom(Self.answerRoom)
      guard !waitsForRoom, let header = try nextHeader() else { return nil }
      guard header.packetLength <= received.capacity else {
        if let event = try beginSkipping(header) { return event }
        if skipping == nil { return nil }
        continue
      }
      guard received.count >= header.packetLength else { return nil }
      if header.type == .publish {
        if let event = try deliver(header) { return event }
        continue
      }
      let event = try handle(header)
      // A challenge stays until it is answered, and answers on filters until all are told.
      guard canReceive, !authentication.isAnswering else { return event }
      if event != nil, header.type == .suback || header.type == .unsuback { return event }
      received.removeFirst(header.packetLength)
      if let event { return event }
    }
  }

  /// Bytes that the answer to one packet takes at most.
  static let answerRoom = 12

  /// One of the four acknowledgements with its packet identifier and nothing else, as 4 bytes. Almost all
  /// that comes is one of these or a message.
  @inline(__always)
  private func isShortAcknowledgement(_ word: UInt32) -> Bool {
    switch word >> 16 {
    case 0x4002, 0x5002, 0x6202, 0x7002: word & 0xFFFF != 0
    default: false
    }
  }

  /// A message in at most 129 bytes, without properties, that is complete, as it should be, and no
  /// repetition.
  @inline(__always)
  private func shortMessage(_ word: UInt32) -> MQTTEvent? {
    let qos = word & 0x0600_0000
    let hasID = qos != 0
    guard word & 0xF080_0000 == 0x3000_0000, qos != 0x0600_0000, hasID || word & 0x0800_0000 == 0 else {
      return nil
    }
    let length = 2 + Int(word >> 16 & 0x7F)
    let topicCount = Int(word & 0xFFFF)
    let topicEnd = 4 + topicCount
    let payloadStart = topicEnd + (hasID ? 2 : 0) + (isV5 ? 1 : 0)
    guard payloadStart <= length, length <= received.count, length <= longestTaken || !MQTTVersion.hasV5
    else { return nil }
    let start = received.head
    let bytes = received.bytes(at: start, count: length)
    guard topicCount > 0, !isV5 || bytes[payloadStart - 1] == 0 else { return nil }
    do throws(MalformedPacket) {
      try TopicName.check(received.bytes(at: start + 4, count: topicCount).span)
    } catch {
      return nil
    }
    let packetID = hasID ? UInt16(bytes[topicEnd]) << 8 | UInt16(bytes[topicEnd + 1]) : 0
    guard !hasID || packetID != 0 else { return nil }
    if qos == 0x0400_0000, !isFirst(packetID) { return nil }
    counters.received &+= 1
    current.length = length
    current.packetID = packetID
    return .message(
      MQTTMessage(
        qos: current.isExactlyOnce ? .exactlyOnce : hasID ? .atLeastOnce : .atMostOnce,
        retain: word & 0x0100_0000 != 0,
        duplicate: word & 0x0800_0000 != 0, packetID: packetID, topicAlias: 0,
        topicCount: UInt16(truncatingIfNeeded: topicCount), topicStart: Int32(truncatingIfNeeded: start + 4),
        propertiesCount: 0, payloadStart: Int32(truncatingIfNeeded: start + payloadStart),
        payloadCount: Int32(truncatingIfNeeded: length - payloadStart), serial: current.serial))
  }

  /// A QoS 2 message that is delivered: repetitions will not be. False, and nothing is done, when it is one.
  ///
  /// A server that sends more of them than `receiveMaximum`, as mosquitto 2.0 does, is put up with: a bit for
  /// each is all that they take here, and on every further connection it would do the same.
  private func isFirst(_ packetID: UInt16) -> Bool {
    guard !receivedIDs.contains(packetID) else { return false }
    receivedIDs.insert(packetID)
    if let stored { keepReceived(stored, packetID) }
    current.isExactlyOnce = true
    return true
  }

  @inline(__always)
  private func acknowledged(_ word: UInt32) -> MQTTEvent? {
    received.removeFirst(4)
    let packetID = UInt16(truncatingIfNeeded: word)
    switch word >> 28 {
    case 4: return settled(packetID, .sent)
    case 5: receipt(packetID)
    case 6: released(packetID)
    default: return settled(packetID, .released)
    }
    return nil
  }

  /// The header of the next packet, once it is complete, if such a packet may come now.
  @inline(never)
  private func nextHeader() throws(MQTTDisconnectReason) -> FixedHeader? {
    let header: FixedHeader?
    do {
      header = try FixedHeader.decode(received.contents.span)
    } catch {
      throw .malformed(error)
    }
    guard let header else { return nil }
    try checkPlace(header)
    guard !isV5 || header.isMinimal else { throw .malformed(.lengthNotMinimal) }
    guard header.packetLength <= longestTaken || !MQTTVersion.hasV5 else { throw .violation(.packetTooLarge) }
    guard header.type == .publish || header.packetLength <= received.capacity else {
      throw .packetTooLarge(header.type.rawValue)
    }
    return header
  }

  private func checkPlace(_ header: FixedHeader) throws(MQTTDisconnectReason) {
    switch (header.type, state) {
    case (.publish, .connected), (.suback, .connected): break
    case (.connack, .connecting), (.puback, .connected), (.pubrec, .connected), (.pubrel, .connected),
      (.pubcomp, .connected), (.unsuback, .connected):
      guard isV5 || header.remaining == 2 else { throw .malformed(.wrongLength) }
    case (.pingresp, .connected):
      guard header.remaining == 0 else { throw .malformed(.wrongLength) }
    case (.disconnect, .connected) where isV5, (.auth, .connecting) where isV5,
      (.auth, .connected) where isV5:
      break
    default: throw .unexpectedPacket(header.type.rawValue)
    }
  }

  @inline(never)
  private func handle(_ header: FixedHeader) throws(MQTTDisconnectReason) -> MQTTEvent? {
    let position = received.head + header.length
    let body = received.bytes(at: position, count: header.remaining)
    if isV5 { return try handleV5(header.type, body.span, at: position) }
    var answer: Connack?
    do {
      switch header.type {
      case .connack: answer = try Connack.decode(body.span)
      case .suback:
        let packetID = try Suback.decode(body.span).packetID
        return try answered(.subscribe, packetID, body.span.extracting(droppingFirst: 2))
      case .unsuback: return try answered(.unsubscribe, try Acknowledgement.decode(body.span), Span())
      case .puback, .pubrec, .pubrel, .pubcomp:
        return acknowledged(header.type, try ReasonedAcknowledgement.decode(body.span, of: header.type))
      default: break
      }
    } catch {
      throw .malformed(error)
    }
    guard let answer else { return nil }
    return try accepted(answer)
  }

  @inline(never)
  private func handleV5(
    _ type: PacketType, _ body: Span<UInt8>, at position: Int
  ) throws(MQTTDisconnectReason) -> MQTTEvent? {
    switch type {
    case .connack: return try acceptedV5(body, at: position)
    case .auth: return try authenticated(body, at: position)
    default: break
    }
    do throws(MalformedPacket) {
      switch type {
      case .puback, .pubrec, .pubrel, .pubcomp:
        let answer = try ReasonedAcknowledgement.decode(body, of: type)
        noteProperties(answer.properties, at: position)
        return acknowledged(type, answer)
      case .suback, .unsuback:
        let answer = try ReasonList.decode(body, of: type)
        noteProperties(answer.properties, at: position)
        return try answered(
          type == .suback ? .subscribe : .unsubscribe, answer.packetID, body.extracting(answer.codes))
      case .disconnect: return try serverClosed(body, at: position)
      default: return nil
      }
    } catch {
      throw .malformed(error)
    }
  }
}
