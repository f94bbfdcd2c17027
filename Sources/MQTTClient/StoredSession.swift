import MQTTCodec

/// The session as its store has it: what the keys and records mean, and what waits there.
///
/// Records, by the upper byte of their key:
/// - 0: one record, up to which message everything may have been sent
/// - 1: identifiers of received QoS 2 messages, no bytes
/// - 16: messages in the order of sending, which have packet identifiers and are or were in the outbox
/// - 17…19: messages that wait for room in the outbox, by priority, in the order of `publish`
final class StoredSession {
  /// Messages that wait in the store.
  struct Queue {
    /// The key of the next message that is put there.
    var end: UInt64
    /// No message that waits has a lower key: those below went to the outbox.
    var front: UInt64
    var count = 0
  }

  let store: any MQTTSessionStore
  let dropPolicy: MQTTDropPolicy
  let rules: [(filter: [UInt8], durability: MQTTDurability)]
  /// In the order of sending, then by priority.
  var queues: [Queue]
  /// The record that is put together or looked at.
  private(set) var record: UnsafeMutableBufferPointer<UInt8>
  private let memory: UnsafeMutableBufferPointer<UInt8>

  /// There are changes that bytes of the output depend on.
  var needsCommit = false
  var isCommitting = false
  /// How much of the output depends on nothing but what is committed, and will when the commit is done.
  var free = 0
  var freeAfterCommit = 0
  /// Messages in the order of sending below this key may have been sent by an earlier process, and some above it are
  /// not marked so.
  var sentBelow: UInt64 = 0
  var hasUnmarked = false
  /// The server has nothing of an earlier process.
  var hasLostSession = false
  /// Identifiers of received messages in the store.
  var receivedCount = 0
  /// A failure that is yet to be told, and whether the latest commit failed.
  var untold: MQTTStoreError?
  var hasFailed = false

  static let sentKey: UInt64 = 0
  static let receivedKind: UInt64 = 1
  static let firstQueueKind: UInt64 = 16
  static let headerSize = 8

  init(
    _ store: any MQTTSessionStore, dropPolicy: MQTTDropPolicy, rules: [MQTTDurabilityRule], longest: Int
  ) {
    self.store = store
    self.dropPolicy = dropPolicy
    self.rules = rules.map { ($0.filter.bytes, $0.durability) }
    queues = (0..<4).map { index in
      let start = StoredSession.firstKey(index)
      return Queue(end: start, front: start)
    }
    memory = .allocate(capacity: longest + StoredSession.headerSize)
    memory.initialize(repeating: 0)
    record = .init(rebasing: memory[..<0])
  }

  deinit {
    memory.deallocate()
  }

  static func firstKey(_ queue: Int) -> UInt64 { (firstQueueKind + UInt64(queue)) << 56 }
  static func receivedKey(_ packetID: UInt16) -> UInt64 { receivedKind << 56 | UInt64(packetID) }

  var waiting: Int { queues[0].count + queues[1].count + queues[2].count + queues[3].count }

  /// The queue of messages of that priority.
  func queue(_ priority: MQTTPriority) -> Int {
    dropPolicy == .lowestPriority ? 1 + Int(priority.rawValue) : 1 + Int(MQTTPriority.normal.rawValue)
  }

  /// The durability that the rules give a topic.
  func durability(of topic: Span<UInt8>) -> MQTTDurability {
    for rule in rules where TopicFilter.matches(rule.filter.span, topic: topic) { return rule.durability }
    return .memory
  }

  /// Bytes have left the output.
  func left(_ count: Int) {
    free = max(0, free - count)
    freeAfterCommit = max(0, freeAfterCommit - count)
  }

  func remove(_ key: UInt64) throws(MQTTStoreError) { try store.remove(key) }

  func putRecord(_ key: UInt64, limited: Bool = false) throws(MQTTStoreError) {
    try store.put(key, record.span, limited: limited)
    needsCommit = true
  }

  /// A record that says something by being there, or with a number.
  func putNote(_ key: UInt64, _ number: UInt64 = 0) throws(MQTTStoreError) {
    record = .init(rebasing: memory[..<8])
    for index in 0..<8 { record[index] = UInt8(truncatingIfNeeded: number >> (8 * UInt64(index))) }
    try putRecord(key)
  }

  /// A record for `putRecord`; the outbox has room for the message, so there is room here.
  func write(
    _ header: StoredHeader, topic: Span<UInt8>, properties: Span<UInt8>, payload: Span<UInt8>
  ) {
    write(header)
    append(topic)
    append(properties)
    append(payload)
  }

  func write(_ header: StoredHeader) {
    record = .init(rebasing: memory[..<StoredSession.headerSize])
    header.write(to: record)
  }

  /// A record for looking at. One that is too long for the outbox is no record.
  func copy(_ bytes: Span<UInt8>) {
    record = .init(rebasing: memory[..<0])
    if bytes.count <= memory.count { append(bytes) }
  }

  private func append(_ bytes: Span<UInt8>) {
    let start = record.count
    record = .init(rebasing: memory[..<(start + bytes.count)])
    bytes.withUnsafeBytes { source in
      UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(record)[start...]).copyMemory(
        from: source)
    }
  }
}

/// The beginning of a message's record: 8 bytes, then topic, properties and payload. A message that the
/// server has (`PUBREC`) is the 8 bytes alone.
struct StoredHeader {
  /// Those of the `PUBLISH`, without DUP.
  var flags: UInt8
  /// The server may have had it.
  var mayBeSent: Bool
  var isReleased: Bool
  /// 0 while the message waits for room in the outbox.
  var packetID: UInt16
  var topicCount: Int
  var propertiesCount: Int

  private static let format: UInt8 = 1
  static let mayBeSentBit: UInt8 = 0x40
  private static let releasedBit: UInt8 = 0x80

  func write(to bytes: UnsafeMutableBufferPointer<UInt8>) {
    bytes[0] = StoredHeader.format
    bytes[1] =
      flags & 0b111 | (mayBeSent ? StoredHeader.mayBeSentBit : 0)
      | (isReleased ? StoredHeader.releasedBit : 0)
    put(packetID, at: 2, of: bytes)
    put(UInt16(truncatingIfNeeded: topicCount), at: 4, of: bytes)
    put(UInt16(truncatingIfNeeded: propertiesCount), at: 6, of: bytes)
  }

  private func put(_ number: UInt16, at position: Int, of bytes: UnsafeMutableBufferPointer<UInt8>) {
    bytes[position] = UInt8(truncatingIfNeeded: number >> 8)
    bytes[position + 1] = UInt8(truncatingIfNeeded: number)
  }

  init(
    flags: UInt8, mayBeSent: Bool, isReleased: Bool, packetID: UInt16, topicCount: Int, propertiesCount: Int
  ) {
    self.flags = flags
    self.mayBeSent = mayBeSent
    self.isReleased = isReleased
    self.packetID = packetID
    self.topicCount = topicCount
    self.propertiesCount = propertiesCount
  }

  /// Nil: the record is none of ours, or damaged.
  init?(_ record: Span<UInt8>) {
    guard record.count >= StoredSession.headerSize, record[0] == StoredHeader.format else { return nil }
    func number(_ position: Int) -> UInt16 { UInt16(record[position]) << 8 | UInt16(record[position + 1]) }
    flags = record[1] & 0b111
    mayBeSent = record[1] & StoredHeader.mayBeSentBit != 0
    isReleased = record[1] & StoredHeader.releasedBit != 0
    packetID = number(2)
    topicCount = Int(number(4))
    propertiesCount = Int(number(6))
    let qos = flags >> 1
    guard qos == 1 || qos == 2, topicCount + propertiesCount + StoredSession.headerSize <= record.count else {
      return nil
    }
    if isReleased {
      guard qos == 2, topicCount == 0, record.count == StoredSession.headerSize else { return nil }
      return
    }
    let start = StoredSession.headerSize
    let end = start + topicCount
    do throws(MalformedPacket) {
      try TopicName.check(record.extracting(start..<end))
    } catch {
      return nil
    }
    guard MQTTVersion.hasV5, propertiesCount > 0 else { return }
    do throws(MQTTPublishError) {
      _ = try MQTTClient.checkProperties(record.extracting(end..<end + propertiesCount))
    } catch {
      return nil
    }
  }
}
