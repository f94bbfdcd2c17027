import MQTTCodec

/// The packet identifiers in use and what each stands for; everything takes constant time.
///
/// Identifiers count up from 1 and around; one that is in use is never given again ([MQTT-2.3.1-4]).
/// The slot of an identifier is its lower bits, so an acknowledgement finds its packet at once.
struct PacketIDs {
  private let slots: UnsafeMutablePointer<Slot>
  private let mask: Int
  private var last: UInt16 = 0

  private struct Slot {
    var packetID: UInt16 = 0
    /// `PUBLISH`, `SUBSCRIBE` or `UNSUBSCRIBE`.
    var type = PacketType.publish
    var value: UInt32 = 0
  }

  /// Room for at least `capacity` identifiers in use at a time, at most 32,768.
  init(capacity: Int) {
    var size = 16
    while size < capacity, size < 32_768 { size *= 2 }
    slots = .allocate(capacity: size)
    slots.initialize(repeating: Slot(), count: size)
    mask = size - 1
  }

  func deallocate() {
    slots.deallocate()
  }

  /// The next free identifier; nil when all slots are in use.
  mutating func next() -> UInt16? {
    var candidate = last
    for _ in 0...mask + 1 {
      candidate = candidate == .max ? 1 : candidate + 1
      if slots[Int(candidate) & mask].packetID == 0 {
        last = candidate
        return candidate
      }
    }
    return nil
  }

  /// Whether an identifier of an earlier life can be used again.
  func isFree(_ packetID: UInt16) -> Bool { slots[Int(packetID) & mask].packetID == 0 }

  /// Goes on counting from there.
  mutating func goOn(after packetID: UInt16) { last = packetID }

  /// Takes an identifier from `next` into use: for a record of the outbox, by offset, or for a list of filters, by
  /// their number.
  func use(_ packetID: UInt16, for type: PacketType = .publish, _ value: Int) {
    slots[Int(packetID) & mask] = Slot(
      packetID: packetID, type: type, value: UInt32(truncatingIfNeeded: value))
  }

  /// What it stands for in a packet of that type; nil: nothing.
  func value(of packetID: UInt16, in type: PacketType = .publish) -> Int? {
    let slot = slots[Int(packetID) & mask]
    return slot.packetID == packetID && packetID != 0 && slot.type == type ? Int(slot.value) : nil
  }

  func release(_ packetID: UInt16) {
    slots[Int(packetID) & mask] = Slot()
  }

  /// All of them: what was asked on an earlier connection is not answered any more.
  func releaseSubscriptions() {
    for index in 0...mask where slots[index].type != .publish { slots[index] = Slot() }
  }
}
