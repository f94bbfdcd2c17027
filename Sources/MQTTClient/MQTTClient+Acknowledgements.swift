import MQTTCodec

// How QoS 1 and 2 messages come to their end.
extension MQTTClient {
  /// The end of a message: `PUBACK` or `PUBCOMP`. Those that were not to be expected are ignored. Servers that have
  /// no QoS 2 (RabbitMQ) answer such a message with `PUBACK`: they have it, and no `PUBREC` will come.
  func settled(_ packetID: UInt16, _ state: Outbox.State) -> MQTTEvent? {
    guard settle(packetID, state) else { return nil }
    return .published(packetID: packetID)
  }

  /// False when that was not to be expected.
  @inline(__always)
  private func settle(_ packetID: UInt16, _ state: Outbox.State) -> Bool {
    guard let offset = packetIDs.value(of: packetID) else { return false }
    let key = stored == nil ? nil : outbox.key(at: offset)
    guard outbox.settle(at: offset, expecting: state) else { return false }
    packetIDs.release(packetID)
    counters.settled &+= 1
    if stored != nil { forget(key) }
    pump()
    return true
  }

  /// `PUBREC`. `PUBREL` also answers those of which we know nothing, so that the server can forget them
  /// too. [MQTT-4.3.3-1], [MQTT5-4.3.3-4]
  func receipt(_ packetID: UInt16) {
    var receipt = Outbox.Receipt.unknown
    if let offset = packetIDs.value(of: packetID) {
      receipt = outbox.receipt(at: offset)
      if stored != nil, receipt != .unknown { keepReleased(offset) }
    }
    switch receipt {
    case .release: acknowledge(.pubrel, packetID)
    case .later: break
    case .unknown: acknowledgeUnknown(.pubrel, packetID)
    }
  }

  /// `PUBREL`: no repetition will follow. `PUBCOMP` also answers those of which we know nothing: the one
  /// before it was lost with the connection. [MQTT-4.3.3-2], [MQTT5-4.3.3-11]
  func released(_ packetID: UInt16) {
    guard receivedIDs.contains(packetID) else { return acknowledgeUnknown(.pubcomp, packetID) }
    if let stored { forgetReceived(stored, packetID) }
    receivedIDs.remove(packetID)
    acknowledge(.pubcomp, packetID)
  }

  /// An acknowledgement that may say more than its packet identifier, as in 5.0.
  @inline(never)
  func acknowledged(_ type: PacketType, _ answer: ReasonedAcknowledgement) -> MQTTEvent? {
    let isRefused = MQTTVersion.hasV5 && answer.reason.isError
    switch type {
    case .puback where isRefused, .pubrec where isRefused: return refused(answer)
    case .puback: return settled(answer.packetID, .sent)
    case .pubcomp: return settled(answer.packetID, .released)
    case .pubrec: receipt(answer.packetID)
    default: released(answer.packetID)
    }
    return nil
  }

  /// The server did not take a message: that is its end, without `PUBREL`. [MQTT5-4.3.3-4]
  private func refused(_ answer: ReasonedAcknowledgement) -> MQTTEvent? {
    guard settle(answer.packetID, .sent) else { return nil }
    return .publishFailed(packetID: answer.packetID, .refused(answer.reason))
  }

  /// What became of a message without the server's saying so, or of a filter that was not sent.
  @inline(never)
  func nextFate() -> MQTTEvent? {
    guard let fate = outbox.takeUntold() else { return MQTTVersion.hasV5 ? nextUnavailable() : nil }
    packetIDs.release(fate.packetID)
    forget(fate.key)
    pump()
    switch fate.end {
    case .delivered: return .published(packetID: fate.packetID)
    case .lost: return .publishFailed(packetID: fate.packetID, .sessionLost)
    case .expired: return .publishFailed(packetID: fate.packetID, .expired)
    case .refused(let code): return .publishFailed(packetID: fate.packetID, .refused(code))
    }
  }

  /// Queues an answer; room was made sure of before what it answers was looked at.
  func acknowledge(_ type: PacketType, _ packetID: UInt16) {
    let isWritten = output.write { span throws(EncodingError) in
      try Acknowledgement(type, packetID: packetID).encode(into: &span)
    }
    assert(isWritten)
  }

  /// The same for a packet identifier that stands for nothing, which 5.0 can say.
  @inline(never)
  private func acknowledgeUnknown(_ type: PacketType, _ packetID: UInt16) {
    guard isV5 else { return acknowledge(type, packetID) }
    let isWritten = output.write { span throws(EncodingError) in
      try ReasonedAcknowledgement.encode(
        type, packetID: packetID, reason: .packetIdentifierNotFound, into: &span)
    }
    assert(isWritten)
  }
}
