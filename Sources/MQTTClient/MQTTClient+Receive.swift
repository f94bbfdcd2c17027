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

  private var canReceive: Bool { state == .connecting || state == .connected }

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
    if let event = pendingEvent {
      pendingEvent = nil
      return event
    }
    if let stored, let event = nextStoreEvent(stored) { return event }
    if outbox.untold > 0, let event = nextFate() { return event }
    guard canReceive else { return nil }
    do {
      return try nextPacket()
    } catch {
      close(state == .connected ? .disconnected(error) : .connectionFailed(error))
      defer { pendingEvent = nil }
      return pendingEvent
    }
  }

  /// Gives `body` topic and payload of a message that the latest `nextEvent` answered. They are not
  /// copied and end with the call.
  public func withMessage<R, E: Error>(
    _ message: MQTTMessage, _ body: (_ topic: Span<UInt8>, _ payload: Span<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    precondition(message.serial == current.serial, "the message is gone: a later event was pulled")
    let topic = received.bytes(at: Int(message.topicStart), count: Int(message.topicCount))
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
      guard output.makeRoom(2 * Acknowledgement.encodedLength) else { return nil }
      if state == .connected, let word = received.firstWord {
        if isShortAcknowledgement(word) {
          if let event = acknowledged(word) { return event }
          continue
        }
        if let header = shortMessage(word), header.packetLength <= received.count {
          if let event = try deliver(header) { return event }
          continue
        }
      }
      guard let header = try nextHeader() else { return nil }
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
      received.removeFirst(header.packetLength)
      if let event { return event }
    }
  }

  /// One of the four acknowledgements with its packet identifier and nothing else, as 4 bytes. Almost all
  /// that comes is one of these or a message.
  @inline(__always)
  private func isShortAcknowledgement(_ word: UInt32) -> Bool {
    switch word >> 16 {
    case 0x4002, 0x5002, 0x6202, 0x7002: word & 0xFFFF != 0
    default: false
    }
  }

  /// The header of a `PUBLISH` of at most 129 bytes, if it is one that may be.
  @inline(__always)
  private func shortMessage(_ word: UInt32) -> FixedHeader? {
    guard word & 0xF080_0000 == 0x3000_0000 else { return nil }
    let flags = UInt8(truncatingIfNeeded: word >> 24 & 0x0F)
    guard flags & 0b0110 != 0b0110, flags & 0b1110 != 0b1000 else { return nil }
    return FixedHeader(type: .publish, flags: flags, length: 2, remaining: Int(word >> 16 & 0x7F))
  }

  @inline(__always)
  private func acknowledged(_ word: UInt32) -> MQTTEvent? {
    received.removeFirst(4)
    let packetID = UInt16(truncatingIfNeeded: word)
    switch word >> 28 {
    case 4: return settled(packetID, .sent, .atLeastOnce)
    case 5: receipt(packetID)
    case 6: released(packetID)
    default: return settled(packetID, .released, .exactlyOnce)
    }
    return nil
  }

  /// The header of the next packet, once it is complete, if such a packet may come now.
  private func nextHeader() throws(MQTTDisconnectReason) -> FixedHeader? {
    let header: FixedHeader?
    do {
      header = try FixedHeader.decode(received.contents.span)
    } catch {
      throw .malformed(error)
    }
    guard let header else { return nil }
    switch (header.type, state) {
    case (.connack, .connecting), (.puback, .connected), (.pubrec, .connected), (.pubrel, .connected),
      (.pubcomp, .connected), (.unsuback, .connected):
      guard header.remaining == 2 else { throw .malformed(.wrongLength) }
    case (.pingresp, .connected):
      guard header.remaining == 0 else { throw .malformed(.wrongLength) }
    case (.publish, .connected): break
    case (.suback, .connected):
      guard header.packetLength <= received.capacity else { throw .packetTooLarge(header.type.rawValue) }
    default: throw .unexpectedPacket(header.type.rawValue)
    }
    return header
  }

  private func body(_ header: FixedHeader) -> UnsafeBufferPointer<UInt8> {
    received.bytes(at: received.head + header.length, count: header.remaining)
  }

  private func handle(_ header: FixedHeader) throws(MQTTDisconnectReason) -> MQTTEvent? {
    let body = body(header)
    do {
      switch header.type {
      case .connack: return accepted(try Connack.decode(body.span))
      case .puback: return settled(try Acknowledgement.decode(body.span), .sent, .atLeastOnce)
      case .pubrec: receipt(try Acknowledgement.decode(body.span))
      case .pubcomp: return settled(try Acknowledgement.decode(body.span), .released, .exactlyOnce)
      case .pubrel: released(try Acknowledgement.decode(body.span))
      case .unsuback: return unsubscribed(try Acknowledgement.decode(body.span))
      case .suback: return try subscribed(body.span)
      default: break
      }
      return nil
    } catch {
      throw .malformed(error)
    }
  }

  private func accepted(_ answer: Connack) -> MQTTEvent? {
    guard answer.code == .accepted else {
      wasRefused = answer.code.isPermanent
      close(.refused(answer.code))
      defer { pendingEvent = nil }
      return pendingEvent
    }
    if counters.connections > 0 { counters.reconnects &+= 1 }
    counters.connections &+= 1
    state = .connected
    connectedAt = clock
    // A server that claims to remember what we asked it to forget is not believed ([MQTT-3.2.2-1]).
    let sessionPresent = answer.sessionPresent && keepsSession
    packetIDs.releaseSubscriptions()
    if let stored {
      if !sessionPresent { forgetAllReceived(stored) }
      markSent(stored)
    }
    if !sessionPresent { receivedIDs.removeAll() }
    subscriptions.rewind(sessionPresent: sessionPresent)
    outbox.rewind(sessionPresent: sessionPresent)
    pump()
    return .connected(sessionPresent: sessionPresent)
  }

  /// The end of a message: `PUBACK` or `PUBCOMP`. Those that were not to be expected are ignored.
  private func settled(_ packetID: UInt16, _ state: Outbox.State, _ qos: QoS) -> MQTTEvent? {
    guard case .record(let offset) = packetIDs.owner(of: packetID) else { return nil }
    let key = stored == nil ? nil : outbox.key(at: offset)
    guard outbox.settle(at: offset, expecting: state, qos) else { return nil }
    packetIDs.release(packetID)
    if let key { forget(key) }
    pump()
    return .published(packetID: packetID)
  }

  /// `PUBREC`. `PUBREL` also answers those of which we know nothing, so that the server can forget them
  /// too. [MQTT-4.3.3-1]
  private func receipt(_ packetID: UInt16) {
    if case .record(let offset) = packetIDs.owner(of: packetID) {
      let receipt = outbox.receipt(at: offset)
      if stored != nil, receipt != .unknown { keepReleased(offset) }
      if receipt == .later { return }
    }
    acknowledge(.pubrel, packetID)
  }

  /// `PUBREL`: no repetition will follow. `PUBCOMP` also answers those of which we know nothing: the one
  /// before it was lost with the connection. [MQTT-4.3.3-2]
  private func released(_ packetID: UInt16) {
    if let stored { forgetReceived(stored, packetID) }
    receivedIDs.remove(packetID)
    acknowledge(.pubcomp, packetID)
  }

  /// What became of a message when the server lost the session.
  @inline(never)
  private func nextFate() -> MQTTEvent? {
    guard let fate = outbox.takeUntold() else { return nil }
    packetIDs.release(fate.packetID)
    if let key = fate.key { forget(key) }
    pump()
    return fate.isDelivered
      ? .published(packetID: fate.packetID) : .publishFailed(packetID: fate.packetID, .sessionLost)
  }
}
