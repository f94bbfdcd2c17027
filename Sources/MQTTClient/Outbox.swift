import MQTTCodec

/// The QoS 1 and 2 messages that the server does not have yet, in the order of `publish`. A ring of
/// records in one piece of memory: a header of 16 bytes, then topic, properties and payload, rounded up
/// to 16 bytes. A record that would cross the end is put at the start instead. Nothing in it depends on
/// the protocol version: packets are written when they are sent.
///
/// Records are appended, sent in order within the window, settled in any order, and freed in order.
/// After a reconnect those not settled are sent again from the oldest on ([MQTT-4.6.0-1]).
struct Outbox {
  /// waiting → sent → done at QoS 1; waiting → sent → released → done at QoS 2.
  enum State: UInt8 {
    case waiting, sent
    /// The server has the message (`PUBREC`), and `PUBREL` is to be sent on this connection.
    case releasing
    /// `PUBREL` was sent on this connection.
    case released
    case done
    /// It is over, and the owner is yet to be told: the server has the message, nobody knows, or the
    /// server does not take such messages (then `payloadCount` is the reason code), or its time is over.
    case delivered, lost, refused, expired
    /// Not a message: room at the end of the memory.
    case filler
  }

  struct Record {
    fileprivate(set) var size: UInt32
    fileprivate(set) var payloadCount: UInt32
    let packetID: UInt16
    fileprivate(set) var topicCount: UInt16
    fileprivate(set) var propertiesCount: UInt16
    fileprivate(set) var state: State
    /// Those of the `PUBLISH`: its QoS, RETAIN, and DUP once it went out.
    var flags: UInt8

    var qos: QoS { QoS(rawValue: flags >> 1 & 0b11) ?? .atLeastOnce }
    @inline(__always)
    func has(_ qos: QoS) -> Bool { flags & 0b110 == qos.rawValue << 1 }
    var retain: Bool { flags & 1 != 0 }
    var wasSent: Bool { flags & Publish.duplicateFlag != 0 }
    /// Bytes between header and topic: the key of a message that is in the store too.
    @inline(__always)
    var keySize: Int { Int(flags & Record.hasKey) >> 1 }

    fileprivate static let hasKey: UInt8 = 0b10000

  }

  let base: UnsafeMutableRawPointer
  private let capacity: Int
  /// Offset and total size of the records, fillers included.
  private(set) var head = 0
  private(set) var used = 0
  /// Offset of the first record that was not dealt with on this connection, and the size from there on.
  private var cursor = 0
  private var unsent = 0
  /// Messages sent on this connection and not settled: the server's part of the window.
  private(set) var inFlight = 0
  /// Records whose end is yet to be told.
  private(set) var untold = 0

  private static let alignment = 16
  static let headerSize = 16
  private static let keySize = 8

  init(capacity: Int) {
    self.capacity = (capacity + Self.alignment - 1) / Self.alignment * Self.alignment
    base = .allocate(byteCount: self.capacity, alignment: Self.alignment)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: self.capacity)
  }

  func deallocate() {
    base.deallocate()
  }

  var hasUnsent: Bool { unsent > 0 }

  /// The record at that offset is the next to be sent.
  func isNext(_ offset: Int) -> Bool { cursor == offset }

  /// Room that topic, properties and payload take together.
  static func size(of count: Int) -> Int {
    headerSize + (count + alignment - 1) / alignment * alignment
  }

  func canEverHold(_ count: Int) -> Bool {
    Self.size(of: count) <= capacity
  }

  /// Half of it is free, and then some: worth the disk's time to fill it again.
  var isHalfEmpty: Bool { used <= capacity / 2 }

  /// Whether a message with a key can be appended; `count` as for `size`, without the key.
  func hasRoom(forKeyed count: Int) -> Bool {
    let size = Self.size(of: count + Self.keySize)
    guard used > 0, size <= capacity - used else { return size <= capacity - used }
    let tail = head + used < capacity ? head + used : head + used - capacity
    return tail < head || size <= capacity - tail || used + capacity - tail + size <= capacity
  }

  func pointer(_ offset: Int) -> UnsafeMutablePointer<Record> {
    (base + offset).assumingMemoryBound(to: Record.self)
  }

  func record(at offset: Int) -> Record { pointer(offset).pointee }

  func after(_ offset: Int, _ size: Int) -> Int {
    offset + size == capacity ? 0 : offset + size
  }

  /// Appends a message of QoS 1 or 2; answers its offset, nil when there is no room.
  /// `key`: that of its record in the store, if it has one.
  @inline(__always)
  mutating func append(
    packetID: UInt16, qos: QoS, retain: Bool, topic: Span<UInt8>, properties: Span<UInt8>,
    payload: Span<UInt8>, key: UInt64? = nil
  ) -> Int? {
    let size = Self.size(of: topic.count + properties.count + payload.count + (key == nil ? 0 : Self.keySize))
    guard let offset = makeRoom(size) else { return nil }
    (base + offset).initializeMemory(
      as: Record.self,
      to: Record(
        size: UInt32(truncatingIfNeeded: size), payloadCount: UInt32(truncatingIfNeeded: payload.count),
        packetID: packetID, topicCount: UInt16(truncatingIfNeeded: topic.count),
        propertiesCount: UInt16(truncatingIfNeeded: properties.count), state: .waiting,
        flags: qos.rawValue << 1 | (retain ? 1 : 0) | (key == nil ? 0 : Record.hasKey)))
    var next = base + offset + Self.headerSize
    if let key {
      next.storeBytes(of: key, as: UInt64.self)
      next += Self.keySize
    }
    copy(topic, to: &next)
    if properties.count > 0 { copy(properties, to: &next) }
    copy(payload, to: &next)
    used += size
    unsent += size
    return offset
  }

  @inline(__always)
  private func copy(_ bytes: Span<UInt8>, to next: inout UnsafeMutableRawPointer) {
    bytes.withUnsafeBytes { raw in
      if let source = raw.baseAddress { next.copyMemory(from: source, byteCount: raw.count) }
    }
    next += bytes.count
  }

  /// Where a record of that size goes; fills up to the end when it only fits at the start.
  private mutating func makeRoom(_ size: Int) -> Int? {
    guard size <= capacity - used else { return nil }
    if used == 0 {
      head = 0
      cursor = 0
      return 0
    }
    let tail = head + used < capacity ? head + used : head + used - capacity
    guard tail >= head, size > capacity - tail else { return tail }
    let filler = capacity - tail
    guard used + filler + size <= capacity else { return nil }
    (base + tail).initializeMemory(
      as: Record.self,
      to: Record(
        size: UInt32(truncatingIfNeeded: filler), payloadCount: 0, packetID: 0, topicCount: 0,
        propertiesCount: 0, state: .filler, flags: 0))
    used += filler
    unsent += filler
    return 0
  }

  /// Gives `body` topic, properties and payload of a record; they are not copied.
  @inline(__always)
  func withMessage<R>(
    at offset: Int, _ body: (_ topic: Span<UInt8>, _ properties: Span<UInt8>, _ payload: Span<UInt8>) -> R
  ) -> R {
    let record = pointer(offset).pointee
    let start = (base + offset + Self.headerSize + record.keySize).assumingMemoryBound(to: UInt8.self)
    let topic = UnsafeBufferPointer(start: start, count: Int(record.topicCount))
    let propertiesStart = start + topic.count
    let properties = UnsafeBufferPointer(start: propertiesStart, count: Int(record.propertiesCount))
    let payload = UnsafeBufferPointer(
      start: propertiesStart + properties.count, count: Int(record.payloadCount))
    return body(topic.span, properties.span, payload.span)
  }

  // MARK: The store

  /// The key of a record's copy in the store; nil when there is none.
  func key(at offset: Int) -> UInt64? {
    guard pointer(offset).pointee.keySize > 0 else { return nil }
    return (base + offset + Self.headerSize).load(as: UInt64.self)
  }

  /// A message that comes from the store was there before: it may have gone out, or the server may even
  /// have said that it has it.
  func restore(at offset: Int, wasSent: Bool, isReleased: Bool) {
    if wasSent { pointer(offset).pointee.flags |= Publish.duplicateFlag }
    if isReleased { pointer(offset).pointee.state = .releasing }
  }

  // MARK: Sending

  /// The next record of which something has to be sent on this connection: its message, or `PUBREL`.
  mutating func nextUnsent() -> Int? {
    while unsent > 0 {
      switch pointer(cursor).pointee.state {
      case .waiting, .releasing: return cursor
      default:
        advanceCursor()
        free()
      }
    }
    return nil
  }

  /// The record that is next (`nextUnsent`, `isNext`) has been sent.
  mutating func sent() {
    let record = pointer(cursor)
    if record.pointee.state == .waiting {
      record.pointee.state = .sent
      record.pointee.flags |= Publish.duplicateFlag
    } else {
      record.pointee.state = .released
    }
    inFlight += 1
    advanceCursor()
  }

  /// The server does not take the record that is next. What was sent before and the server may have is
  /// given up as well: there is no other way to settle it.
  mutating func refuse(_ code: ReasonCode) {
    let record = pointer(cursor)
    record.pointee.state = .refused
    record.pointee.payloadCount = UInt32(code.rawValue)
    untold += 1
    advanceCursor()
  }

  /// The time of the record that is next is over, and the server has not had it.
  mutating func expire() {
    pointer(cursor).pointee.state = .expired
    untold += 1
    advanceCursor()
  }

  private mutating func advanceCursor() {
    let size = Int(pointer(cursor).pointee.size)
    cursor = after(cursor, size)
    unsent -= size
  }

  // MARK: Settling

  /// The server has the message (`PUBACK`), or has let go of the QoS 2 message (`PUBCOMP`). False when that
  /// was not to be expected.
  mutating func settle(at offset: Int, expecting state: State) -> Bool {
    let record = pointer(offset)
    guard record.pointee.state == state else { return false }
    record.pointee.state = .done
    inFlight -= 1
    free()
    return true
  }

  enum Receipt {
    /// `PUBREL` is to be sent now.
    case release
    /// `PUBREL` will be sent when its turn comes on this connection.
    case later
    /// No such message is under way.
    case unknown
  }

  /// The server has the QoS 2 message (`PUBREC`).
  mutating func receipt(at offset: Int) -> Receipt {
    let record = pointer(offset)
    guard record.pointee.has(.exactlyOnce) else { return .unknown }
    switch record.pointee.state {
    case .sent, .released:
      record.pointee.state = .released
      return .release
    case .waiting where record.pointee.wasSent:
      record.pointee.state = .releasing
      return .later
    case .releasing: return .later
    default: return .unknown
    }
  }

  /// Gives the memory of settled records at the front free.
  private mutating func free() {
    while used > unsent {
      let oldest = pointer(head).pointee
      guard oldest.state == .done || oldest.state == .filler else { break }
      head = after(head, Int(oldest.size))
      used -= Int(oldest.size)
    }
  }

  /// Messages that are not settled, or whose end is yet to be told.
  var unsettled: Int {
    var count = 0
    var offset = head
    var rest = used
    while rest > 0 {
      let record = pointer(offset).pointee
      if record.state != .done, record.state != .filler { count += 1 }
      offset = after(offset, Int(record.size))
      rest -= Int(record.size)
    }
    return count
  }

  // MARK: A new connection

  /// A new connection: what is not settled goes out again. With a session: messages with DUP when they
  /// went out before, `PUBREL` where the server has the message ([MQTT-4.4.0-1], [MQTT-3.3.1-1]).
  /// Without one there is nothing to go on with ([MQTT-3.1.2-6]): QoS 1 messages go out as new ones; a
  /// QoS 2 message that went out must not go out as a new one, because the server may have had it.
  mutating func rewind(sessionPresent: Bool) {
    cursor = head
    unsent = used
    inFlight = 0
    var offset = head
    var rest = used
    while rest > 0 {
      let record = pointer(offset)
      if sessionPresent {
        resume(record)
      } else {
        restart(record)
      }
      let size = Int(record.pointee.size)
      offset = after(offset, size)
      rest -= size
    }
  }

  private func resume(_ record: UnsafeMutablePointer<Record>) {
    switch record.pointee.state {
    case .sent: record.pointee.state = .waiting
    case .released: record.pointee.state = .releasing
    default: break
    }
  }

  mutating func restart(_ record: UnsafeMutablePointer<Record>) {
    switch record.pointee.state {
    case .releasing, .released:
      record.pointee.state = .delivered
      untold += 1
    case .sent, .waiting:
      if record.pointee.has(.exactlyOnce), record.pointee.wasSent {
        record.pointee.state = .lost
        untold += 1
      } else {
        record.pointee.state = .waiting
        record.pointee.flags &= ~Publish.duplicateFlag
      }
    default: break
    }
  }

  enum End {
    case delivered, lost, expired
    case refused(ReasonCode)
  }

  /// Takes the oldest message whose end is yet to be told out of the outbox.
  mutating func takeUntold() -> (packetID: UInt16, key: UInt64?, end: End)? {
    guard untold > 0 else { return nil }
    var offset = head
    var rest = used
    while rest > 0 {
      let record = pointer(offset)
      if let end = end(of: record.pointee) {
        record.pointee.state = .done
        untold -= 1
        let (packetID, key) = (record.pointee.packetID, key(at: offset))
        free()
        return (packetID, key, end)
      }
      let size = Int(record.pointee.size)
      offset = after(offset, size)
      rest -= size
    }
    return nil
  }

  private func end(of record: Record) -> End? {
    switch record.state {
    case .delivered: .delivered
    case .lost: .lost
    case .expired: .expired
    case .refused: .refused(ReasonCode(rawValue: UInt8(truncatingIfNeeded: record.payloadCount)))
    default: nil
    }
  }
}
