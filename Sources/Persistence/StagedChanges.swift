import MQTTClient

/// Changes that wait while another thread has the file, one after the other in one piece of memory: key,
/// length (or what stands for a removal), bytes. Allocates only when it grows.
struct StagedChanges {
  private var bytes: [UInt8] = []
  /// What the records count as until they are in the file.
  private(set) var cost = 0

  private static let removal = UInt32.max

  mutating func put(_ key: UInt64, _ value: Span<UInt8>) {
    appendHeader(key, UInt32(truncatingIfNeeded: value.count))
    for index in value.indices { bytes.append(value[index]) }
    cost += value.count + SQLiteSessionStore.overhead
  }

  mutating func remove(_ key: UInt64) {
    appendHeader(key, StagedChanges.removal)
  }

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    cost = 0
  }

  private mutating func appendHeader(_ key: UInt64, _ length: UInt32) {
    for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: key >> (8 * UInt64(shift)))) }
    for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: length >> (8 * UInt32(shift)))) }
  }

  /// In the order in which they came; nil: a removal.
  func forEach(_ body: (_ key: UInt64, _ value: Span<UInt8>?) throws(MQTTStoreError) -> Void)
    throws(MQTTStoreError)
  {
    var position = 0
    while position < bytes.count {
      var key: UInt64 = 0
      for shift in 0..<8 { key |= UInt64(bytes[position + shift]) << (8 * UInt64(shift)) }
      var length: UInt32 = 0
      for shift in 0..<4 { length |= UInt32(bytes[position + 8 + shift]) << (8 * UInt32(shift)) }
      position += 12
      if length == StagedChanges.removal {
        try body(key, nil)
      } else {
        try body(key, bytes.span.extracting(position..<position + Int(length)))
        position += Int(length)
      }
    }
  }
}
