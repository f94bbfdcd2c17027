/// The packet identifiers of QoS 2 messages that were delivered and whose `PUBREL` is still to come: a
/// bit for each that there is. Whatever comes with one of them is a repetition.
struct ReceivedIDs {
  private let words: UnsafeMutablePointer<UInt32>
  private static let wordCount = 65_536 / 32

  init() {
    words = .allocate(capacity: Self.wordCount)
    words.initialize(repeating: 0, count: Self.wordCount)
  }

  func deallocate() {
    words.deallocate()
  }

  func contains(_ packetID: UInt16) -> Bool {
    words[Int(packetID >> 5)] & bit(packetID) != 0
  }

  func insert(_ packetID: UInt16) {
    words[Int(packetID >> 5)] |= bit(packetID)
  }

  func remove(_ packetID: UInt16) {
    words[Int(packetID >> 5)] &= ~bit(packetID)
  }

  func removeAll() {
    words.update(repeating: 0, count: Self.wordCount)
  }

  private func bit(_ packetID: UInt16) -> UInt32 { 1 << UInt32(packetID & 31) }
}
