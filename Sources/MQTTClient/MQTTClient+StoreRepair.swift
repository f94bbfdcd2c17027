import MQTTCodec

// After a failure the store has what the last commit made: messages that were settled since, or went to the outbox
// from where they waited, and identifiers that are free again, are there still; others are missing.
extension MQTTClient {
  /// Makes the store say what is so now, with the next commit. Linear in the outbox and what is in the store for it.
  @inline(never)
  func repair(_ stored: StoredSession) throws(MQTTStoreError) {
    try clear(stored, StoredSession.receivedKey(0), below: StoredSession.receivedKey(.max) + 1)
    for index in stored.queues.indices {
      try clear(stored, StoredSession.firstKey(index), below: stored.queues[index].front)
    }
    stored.receivedCount = 0
    for packetID in UInt16.min...UInt16.max where receivedIDs.contains(packetID) {
      try stored.putNote(StoredSession.receivedKey(packetID))
      stored.receivedCount += 1
    }
    var offset = outbox.head
    var rest = outbox.used
    while rest > 0 {
      try putKept(stored, offset)
      let size = Int(outbox.record(at: offset).size)
      offset = outbox.after(offset, size)
      rest -= size
    }
  }

  private func clear(
    _ stored: StoredSession, _ first: UInt64, below end: UInt64
  ) throws(MQTTStoreError) {
    var key = first
    while try stored.store.find(from: key, { found, _ in key = found }), key < end {
      try stored.remove(key)
      key += 1
    }
  }

  /// Puts a message of the outbox that belongs there; of one that the server has (`PUBREC`) its identifier alone.
  func putKept(_ stored: StoredSession, _ offset: Int) throws(MQTTStoreError) {
    guard let key = outbox.key(at: offset) else { return }
    let record = outbox.record(at: offset)
    var header = StoredHeader(
      flags: record.flags & 0b111, mayBeSent: true, isReleased: true, packetID: record.packetID,
      topicCount: 0, propertiesCount: 0)
    switch record.state {
    case .releasing, .released: stored.write(header)
    case .waiting, .sent:
      header.isReleased = false
      header.mayBeSent = record.wasSent || state == .connected
      if !header.mayBeSent { stored.hasUnmarked = true }
      header.topicCount = Int(record.topicCount)
      header.propertiesCount = Int(record.propertiesCount)
      withWholeMessage(record, at: offset) { topic, properties, payload in
        stored.write(header, topic: topic, properties: properties, payload: payload)
      }
    default: return
    }
    try stored.putRecord(key)
  }

  /// The message with what is left of its Message Expiry Interval.
  private func withWholeMessage(
    _ record: Outbox.Record, at offset: Int,
    _ body: (_ topic: Span<UInt8>, _ properties: Span<UInt8>, _ payload: Span<UInt8>) -> Void
  ) {
    guard MQTTVersion.hasV5, record.expires else { return outbox.withMessage(at: offset, body) }
    let left = outbox.secondsLeft(at: offset, now: UInt32(truncatingIfNeeded: clock / 1000)) ?? 1
    outbox.withExpiry(UInt32(max(1, left)), at: offset) { outbox.withMessage(at: offset, body) }
  }
}
