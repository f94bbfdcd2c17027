import MQTTCodec

// The session beyond the process. What the store is told: a message before it may leave, that the server
// has a QoS 2 message before `PUBREL` may leave, the identifier of a received one before `PUBREC` and its end
// before `PUBCOMP` may leave. That a message is settled is told too, but not waited for: after a crash it is
// sent once more, which QoS 1 allows and the server of a QoS 2 message answers.
extension MQTTClient {
  /// Makes what `publish` accepted durable. True: it survives power loss now. False: that is under way in
  /// the store; call again when the store says so. Output that depends on it is held back until then.
  ///
  /// To be called at the end of a turn, so that one commit serves all of its messages; `withOutput` does
  /// so too. A store that fails costs durability, not messages in memory or the connection: the error is
  /// also told as an event, once.
  @discardableResult
  public func commit() throws(MQTTStoreError) -> Bool {
    guard let stored, stored.needsCommit || stored.isCommitting else { return true }
    if let error = commit(stored) { throw error }
    return !stored.needsCommit && !stored.isCommitting
  }

  /// Messages that wait in the store for room in the outbox.
  public var storedBacklog: Int { stored?.waiting ?? 0 }

  /// There are messages of QoS 1 or 2 that the server may not have. Constant cost.
  public var hasUnsettled: Bool { outbox.used > 0 || storedBacklog > 0 }

  /// How many. Linear cost.
  public var unsettled: Int { outbox.unsettled + storedBacklog }

  /// What `publish` does with a message of QoS 1 or 2 to that topic when it is not told.
  public func durability(of topic: Span<UInt8>) -> MQTTDurability { stored?.durability(of: topic) ?? .memory }

  /// How much of the output may leave.
  func committedOutput(_ stored: StoredSession) -> Int {
    if stored.needsCommit || stored.isCommitting { _ = commit(stored) }
    return stored.needsCommit || stored.isCommitting ? min(stored.free, output.count) : output.count
  }

  private func commit(_ stored: StoredSession) -> MQTTStoreError? {
    do throws(MQTTStoreError) {
      if !stored.isCommitting {
        if stored.hasFailed { try repair(stored) }
        beginCommit(stored)
      }
      guard try stored.store.commit() else { return nil }
      stored.isCommitting = false
      stored.hasFailed = false
      stored.free = stored.freeAfterCommit
      while stored.store.isOverLimit, dropOne(stored, notAbove: 1) {}
      refill(stored)
      return nil
    } catch {
      storeFailed(stored, error)
      return error
    }
  }

  private func beginCommit(_ stored: StoredSession) {
    stored.isCommitting = true
    stored.needsCommit = false
    stored.freeAfterCommit = output.count
  }

  /// The changes since the last commit are gone from the store: what is in memory goes on from there.
  func storeFailed(_ stored: StoredSession, _ error: MQTTStoreError) {
    counters.storeFailures &+= 1
    if !stored.hasFailed { stored.untold = error }
    stored.hasFailed = true
    stored.isCommitting = false
    stored.needsCommit = false
    stored.free = output.count
    let waited = stored.waiting
    do throws(MQTTStoreError) {
      for index in stored.queues.indices { try recount(stored, index) }
    } catch {
      for index in stored.queues.indices { stored.queues[index].count = 0 }
    }
    // More than before: what was dropped is back.
    counters.dropped &+= UInt32(truncatingIfNeeded: waited - stored.waiting)
  }

  private func recount(_ stored: StoredSession, _ index: Int) throws(MQTTStoreError) {
    var key = stored.queues[index].front
    var count = 0
    while try stored.store.find(from: key, { found, _ in key = found }),
      key < StoredSession.firstKey(index + 1)
    {
      count += 1
      key += 1
    }
    stored.queues[index].count = count
  }

  /// What became of the store, once.
  func nextStoreEvent(_ stored: StoredSession) -> MQTTEvent? {
    guard let error = stored.untold else { return nil }
    stored.untold = nil
    return .storeFailed(error)
  }

  // MARK: Messages out

  /// Keeps a message of QoS 1 or 2 on the disk. It goes into the outbox too if there is room and nothing
  /// waits before it; then it has a packet identifier, else 0.
  @inline(never)
  func keepOnDisk(
    _ stored: StoredSession, _ priority: MQTTPriority, topic: Span<UInt8>, properties: Span<UInt8>,
    payload: Span<UInt8>, qos: QoS, retain: Bool
  ) throws(MQTTPublishError) -> UInt16 {
    let count = topic.count + properties.count + payload.count
    guard outbox.canEverHold(count + StoredSession.headerSize), properties.count <= 0xFFFF else {
      throw .tooLarge
    }
    var packetID: UInt16 = 0
    if stored.waiting == 0, outbox.hasRoom(forKeyed: count), let next = packetIDs.next() { packetID = next }
    let queue = packetID == 0 ? stored.queue(priority) : 0
    let key = stored.queues[queue].end
    let header = StoredHeader(
      flags: qos.rawValue << 1 | (retain ? 1 : 0), mayBeSent: packetID != 0 && state == .connected,
      isReleased: false, packetID: packetID, topicCount: topic.count, propertiesCount: properties.count
    )
    stored.write(header, topic: topic, properties: properties, payload: payload)
    try put(stored, key, priority)
    stored.queues[queue].end += 1
    guard packetID != 0 else {
      stored.queues[queue].count += 1
      return 0
    }
    stored.queues[0].front = key + 1
    if !header.mayBeSent { stored.hasUnmarked = true }
    let offset = outbox.append(
      packetID: packetID, qos: qos, retain: retain, topic: topic, properties: properties, payload: payload,
      key: key)
    if let offset { packetIDs.use(packetID, offset) }
    pump()
    return packetID
  }

  /// Puts the new message that was put together; makes room as the policy says.
  private func put(
    _ stored: StoredSession, _ key: UInt64, _ priority: MQTTPriority
  ) throws(MQTTPublishError) {
    let lowest = stored.dropPolicy == .oldest ? 1 : stored.queue(priority)
    while true {
      do throws(MQTTStoreError) {
        try stored.putRecord(key, limited: true)
        return
      } catch .full {
        guard !stored.isCommitting, dropOne(stored, notAbove: lowest) else {
          counters.dropped &+= 1
          throw .outboxFull
        }
      } catch {
        counters.dropped &+= 1
        storeFailed(stored, error)
        throw .storeFailed(error)
      }
    }
  }

  /// Drops the message that the policy names, if one that waits is no more important than the new one.
  private func dropOne(_ stored: StoredSession, notAbove lowest: Int) -> Bool {
    guard stored.dropPolicy != .newest else { return false }
    for rank in stride(from: 3, through: lowest, by: -1) {
      // What another policy has left in the queues of other priorities is older than what is normal now.
      let index = stored.dropPolicy == .oldest && rank < 3 ? 3 - rank : rank
      guard stored.queues[index].count > 0 else { continue }
      do throws(MQTTStoreError) {
        var key: UInt64 = 0
        guard try stored.store.find(from: stored.queues[index].front, { found, _ in key = found }) else {
          continue
        }
        try stored.remove(key)
        stored.queues[index].count -= 1
        counters.dropped &+= 1
        return true
      } catch {
        storeFailed(stored, error)
        return false
      }
    }
    return false
  }

  /// Fetches messages that wait in the store, once half of the outbox is empty, so that many share a
  /// commit.
  func refill(_ stored: StoredSession) {
    guard stored.waiting > 0, !stored.isCommitting, outbox.isHalfEmpty else { return }
    do throws(MQTTStoreError) {
      while let index = stored.queues.indices.first(where: { stored.queues[$0].count > 0 }),
        try fetch(stored, index)
      {}
    } catch {
      storeFailed(stored, error)
    }
    pump()
  }

  /// Moves the first message of a queue into the outbox. False: there is no room.
  private func fetch(_ stored: StoredSession, _ index: Int) throws(MQTTStoreError) -> Bool {
    var key: UInt64 = 0
    let isFound = try stored.store.find(from: stored.queues[index].front) { found, value in
      key = found
      stored.copy(value)
    }
    guard isFound, key < StoredSession.firstKey(index + 1) else {
      stored.queues[index].count = 0
      return true
    }
    guard let header = StoredHeader(stored.record.span) else {
      counters.damagedRecords &+= 1
      try stored.remove(key)
      stored.queues[index].front = key + 1
      stored.queues[index].count -= 1
      return true
    }
    guard outbox.hasRoom(forKeyed: stored.record.count - StoredSession.headerSize) else {
      return try dropUnfit(stored, index, key)
    }
    if index == 0 { return restore(stored, key, header) }
    return try promote(stored, index, key, header)
  }

  /// A message that not even the empty outbox has room for: its capacity was larger once.
  private func dropUnfit(_ stored: StoredSession, _ index: Int, _ key: UInt64) throws(MQTTStoreError) -> Bool
  {
    guard !outbox.canEverHold(stored.record.count) else { return false }
    try stored.remove(key)
    stored.queues[index].front = key + 1
    stored.queues[index].count -= 1
    counters.dropped &+= 1
    return true
  }

  /// A message that was in an outbox before, with its packet identifier.
  private func restore(_ stored: StoredSession, _ key: UInt64, _ header: StoredHeader) -> Bool {
    guard header.packetID == 0 || packetIDs.isFree(header.packetID) else { return false }
    guard let packetID = header.packetID == 0 ? packetIDs.next() : header.packetID else { return false }
    appendRecord(stored, key, packetID, header, wasSent: true)
    packetIDs.goOn(after: packetID)
    stored.queues[0].front = key + 1
    stored.queues[0].count -= 1
    return true
  }

  /// A message that waited gets a packet identifier and its place in the order of sending.
  private func promote(
    _ stored: StoredSession, _ index: Int, _ key: UInt64, _ header: StoredHeader
  ) throws(MQTTStoreError) -> Bool {
    guard let packetID = packetIDs.next() else { return false }
    let newKey = stored.queues[0].end
    try stored.remove(key)
    var header = header
    header.packetID = packetID
    header.mayBeSent = state == .connected
    header.write(to: stored.record)
    try stored.putRecord(newKey)
    stored.queues[0].end += 1
    stored.queues[0].front = newKey + 1
    stored.queues[index].front = key + 1
    stored.queues[index].count -= 1
    appendRecord(stored, newKey, packetID, header, wasSent: false)
    return true
  }

  private func appendRecord(
    _ stored: StoredSession, _ key: UInt64, _ packetID: UInt16, _ header: StoredHeader, wasSent: Bool
  ) {
    let record = stored.record
    let bytes = record.span
    let topicEnd = StoredSession.headerSize + header.topicCount
    let payloadStart = topicEnd + header.propertiesCount
    let offset = outbox.append(
      packetID: packetID, qos: header.flags >> 1 == 2 ? .exactlyOnce : .atLeastOnce,
      retain: header.flags & 1 != 0, topic: bytes.extracting(StoredSession.headerSize..<topicEnd),
      properties: bytes.extracting(topicEnd..<payloadStart),
      payload: bytes.extracting(payloadStart..<bytes.count), key: key)
    guard let offset else { return }
    let mayBeSent = header.mayBeSent || key < stored.sentBelow
    if !mayBeSent { stored.hasUnmarked = true }
    outbox.restore(at: offset, wasSent: wasSent && mayBeSent, isReleased: header.isReleased)
    if wasSent, stored.hasLostSession { outbox.restart(outbox.pointer(offset)) }
    packetIDs.use(packetID, offset)
    if MQTTVersion.hasV5, header.propertiesCount > 0 { hasNewExpiries = true }
  }

  /// A message is settled, and its copy in the store of no more use if it has one: what waits there may have room
  /// now, whichever message made it.
  @inline(never)
  func forget(_ key: UInt64?) {
    guard let stored else { return }
    if let key {
      do throws(MQTTStoreError) {
        try stored.remove(key)
      } catch {
        storeFailed(stored, error)
      }
    }
    refill(stored)
  }

  /// A connection: from now on everything in the outbox may have been sent.
  @inline(never)
  func markSent(_ stored: StoredSession) {
    guard stored.hasUnmarked else { return }
    do throws(MQTTStoreError) {
      try stored.putNote(StoredSession.sentKey, stored.queues[0].end)
      stored.hasUnmarked = false
    } catch {
      storeFailed(stored, error)
    }
  }

  /// The server has the QoS 2 message; only its identifier is needed from now on.
  @inline(never)
  func keepReleased(_ offset: Int) {
    guard let stored else { return }
    do throws(MQTTStoreError) {
      try putKept(stored, offset)
    } catch {
      storeFailed(stored, error)
    }
  }
}

// MARK: - Messages in, and the beginning

extension MQTTClient {
  /// A QoS 2 message with that identifier was delivered: a repetition is none.
  @inline(never)
  func keepReceived(_ stored: StoredSession, _ packetID: UInt16) {
    do throws(MQTTStoreError) {
      try stored.putNote(StoredSession.receivedKey(packetID))
      stored.receivedCount += 1
    } catch {
      storeFailed(stored, error)
    }
  }

  /// The identifier stands for another message from now on.
  @inline(never)
  func forgetReceived(_ stored: StoredSession, _ packetID: UInt16) {
    guard receivedIDs.contains(packetID) else { return }
    do throws(MQTTStoreError) {
      try stored.remove(StoredSession.receivedKey(packetID))
      stored.needsCommit = true
      stored.receivedCount -= 1
    } catch {
      storeFailed(stored, error)
    }
  }

  /// The server has lost the session: all identifiers stand for other messages.
  func forgetAllReceived(_ stored: StoredSession) {
    guard stored.receivedCount > 0 else { return }
    for packetID in UInt16.min...UInt16.max { forgetReceived(stored, packetID) }
    stored.receivedCount = 0
  }

  /// Goes on where an earlier process ended.
  func restoreSession(_ stored: StoredSession) {
    do throws(MQTTStoreError) {
      var key: UInt64 = 0
      while true {
        var found: UInt64 = 0
        let isFound = try stored.store.find(from: key) { name, value in
          found = name
          restoreRecord(stored, name, value)
        }
        guard isFound, found < .max else { break }
        key = found + 1
      }
    } catch {
      storeFailed(stored, error)
    }
    refill(stored)
  }

  private func restoreRecord(_ stored: StoredSession, _ key: UInt64, _ value: Span<UInt8>) {
    let kind = key >> 56
    if key == StoredSession.sentKey, value.count == 8 {
      for index in 0..<8 { stored.sentBelow |= UInt64(value[index]) << (8 * UInt64(index)) }
    } else if kind == StoredSession.receivedKind {
      receivedIDs.insert(UInt16(truncatingIfNeeded: key))
      stored.receivedCount += 1
    } else if kind >= StoredSession.firstQueueKind, kind < StoredSession.firstQueueKind + 4 {
      let index = Int(kind - StoredSession.firstQueueKind)
      if stored.queues[index].count == 0 { stored.queues[index].front = key }
      stored.queues[index].end = key + 1
      stored.queues[index].count += 1
    }
  }
}
