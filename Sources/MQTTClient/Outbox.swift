import MQTTCodec

/// The QoS 1 messages that the server does not have yet, in the order of `publish`, each as the packet
/// that goes on the wire. A ring of records in one piece of memory: a header of 16 bytes, the packet,
/// rounded up to 16 bytes. A record that would cross the end is put at the start instead.
///
/// Records are appended, sent in order within the window, acknowledged in any order, and freed in
/// order. After a reconnect those not acknowledged are sent again from the oldest on ([MQTT-4.6.0-1]).
struct Outbox {
  private let base: UnsafeMutableRawPointer
  private let capacity: Int
  /// Offset and total size of the records, fillers included.
  private var head = 0
  private var used = 0
  /// Offset of the first record that was not sent on this connection, and the size from there on.
  private var cursor = 0
  private var unsent = 0
  /// Records sent on this connection and not acknowledged.
  private(set) var inFlight = 0

  private enum State: UInt8 {
    case waiting, sent, acknowledged, filler
  }

  private struct Record {
    var size: UInt32
    var packetLength: UInt32
    var packetID: UInt16
    var state: State
    /// It went out before: on this connection or an earlier one.
    var attempted: Bool
  }

  static let alignment = 16
  private static let headerSize = 16

  init(capacity: Int) {
    self.capacity = (capacity + Self.alignment - 1) / Self.alignment * Self.alignment
    base = .allocate(byteCount: self.capacity, alignment: Self.alignment)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: self.capacity)
  }

  func deallocate() {
    base.deallocate()
  }

  var isEmpty: Bool { used == 0 }
  var hasUnsent: Bool { unsent > 0 }

  /// Room that a packet takes.
  static func size(ofPacket length: Int) -> Int {
    headerSize + (length + alignment - 1) / alignment * alignment
  }

  func canEverHold(_ packetLength: Int) -> Bool {
    Self.size(ofPacket: packetLength) <= capacity
  }

  private func record(at offset: Int) -> UnsafeMutablePointer<Record> {
    (base + offset).assumingMemoryBound(to: Record.self)
  }

  private func after(_ offset: Int, _ size: Int) -> Int {
    offset + size == capacity ? 0 : offset + size
  }

  /// Appends a record for a packet that `encode` writes; answers its offset, nil when there is no room.
  mutating func append(
    packetID: UInt16, packetLength: Int,
    _ encode: (inout MutableSpan<UInt8>) throws(EncodingError) -> Int
  ) -> Int? {
    let size = Self.size(ofPacket: packetLength)
    guard let offset = makeRoom(size) else { return nil }
    var span = packetMemory(at: offset, length: packetLength).mutableSpan
    do {
      guard try encode(&span) == packetLength else { return nil }
    } catch {
      return nil
    }
    (base + offset).initializeMemory(
      as: Record.self,
      to: Record(
        size: UInt32(size), packetLength: UInt32(packetLength), packetID: packetID, state: .waiting,
        attempted: false))
    used += size
    unsent += size
    return offset
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
        size: UInt32(filler), packetLength: 0, packetID: 0, state: .filler, attempted: false))
    used += filler
    unsent += filler
    return 0
  }

  private func packetMemory(at offset: Int, length: Int) -> UnsafeMutableBufferPointer<UInt8> {
    let start = (base + offset + Self.headerSize).assumingMemoryBound(to: UInt8.self)
    return UnsafeMutableBufferPointer(start: start, count: length)
  }

  /// Gives `take` the next packet that was not sent on this connection; it answers whether it took it.
  /// False when there is none or it was not taken.
  mutating func sendNext(_ take: (UnsafeRawBufferPointer) -> Bool) -> Bool {
    while unsent > 0 {
      let record = record(at: cursor)
      let size = Int(record.pointee.size)
      if record.pointee.state == .waiting {
        let packet = packetMemory(at: cursor, length: Int(record.pointee.packetLength))
        guard take(UnsafeRawBufferPointer(packet)) else { return false }
        record.pointee.state = .sent
        record.pointee.attempted = true
        inFlight += 1
        advanceCursor(size)
        return true
      }
      advanceCursor(size)
    }
    return false
  }

  private mutating func advanceCursor(_ size: Int) {
    cursor = after(cursor, size)
    unsent -= size
  }

  /// The server has the packet of that record. False when it was not even sent.
  mutating func acknowledge(at offset: Int) -> Bool {
    let acknowledged = record(at: offset)
    guard acknowledged.pointee.state == .sent else { return false }
    acknowledged.pointee.state = .acknowledged
    inFlight -= 1
    while used > unsent {
      let oldest = record(at: head)
      guard oldest.pointee.state == .acknowledged || oldest.pointee.state == .filler else { break }
      let size = Int(oldest.pointee.size)
      head = after(head, size)
      used -= size
    }
    return true
  }

  /// A new connection: everything that is not acknowledged goes out again, with DUP when the server
  /// still knows our session, as new when it does not. [MQTT-4.4.0-1], [MQTT-3.3.1-1]
  mutating func rewind(sessionPresent: Bool) {
    cursor = head
    unsent = used
    inFlight = 0
    var offset = head
    var rest = used
    while rest > 0 {
      let record = record(at: offset)
      let size = Int(record.pointee.size)
      if record.pointee.state == .sent { record.pointee.state = .waiting }
      if record.pointee.state == .waiting {
        let duplicate = sessionPresent && record.pointee.attempted
        let first = packetMemory(at: offset, length: 1)
        first[0] = first[0] & ~Publish.duplicateFlag | (duplicate ? Publish.duplicateFlag : 0)
      }
      offset = after(offset, size)
      rest -= size
    }
  }
}
