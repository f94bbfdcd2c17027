import MQTTCodec

/// What the server's topic aliases stand for on this connection (MQTT 5.0). The memory of a topic is kept
/// for the next one of its alias, so that nothing is allocated once every alias was in use.
struct ReceivedAliases {
  private struct Topic {
    var memory: UnsafeMutableBufferPointer<UInt8>?
    var count = 0
  }

  private var topics: [Topic]

  init(maximum: UInt16) {
    topics = [Topic](repeating: Topic(), count: Int(maximum))
  }

  func deallocate() {
    for topic in topics { topic.memory?.deallocate() }
  }

  /// A new connection: none stands for anything. [MQTT5-3.3.2-7]
  mutating func forget() {
    for index in topics.indices { topics[index].count = 0 }
  }

  func isAllowed(_ alias: UInt16) -> Bool { alias > 0 && Int(alias) <= topics.count }

  mutating func set(_ alias: UInt16, to topic: Span<UInt8>) {
    let index = Int(alias) - 1
    var memory = topics[index].memory
    if (memory?.count ?? 0) < topic.count {
      memory?.deallocate()
      memory = .allocate(capacity: topic.count)
    }
    topic.withUnsafeBytes { raw in
      if let memory { UnsafeMutableRawBufferPointer(memory).copyMemory(from: raw) }
    }
    topics[index] = Topic(memory: memory, count: topic.count)
  }

  /// The topic of an alias that is allowed; empty when it has none.
  func topic(_ alias: UInt16) -> UnsafeBufferPointer<UInt8> {
    let topic = topics[Int(alias) - 1]
    return UnsafeBufferPointer(
      rebasing: UnsafeBufferPointer(topic.memory ?? .init(start: nil, count: 0))[..<topic.count])
  }
}

/// The topics to which we gave an alias on this connection (MQTT 5.0). Each topic has one place, by its
/// bytes; a topic that comes to a place in use takes it over. Constant cost.
struct SentAliases {
  /// Topics longer than that get no alias.
  private static let longest = 62
  /// Bytes of a place: the length of its topic, 0 when it is free, and the topic.
  private static let size = 64

  private let places: UnsafeMutableRawPointer
  private let capacity: Int
  /// Those that the server allows.
  private var allowed = 0

  init(maximum: UInt16) {
    capacity = Int(maximum)
    places = .allocate(byteCount: max(1, capacity) * Self.size, alignment: 8)
    places.initializeMemory(as: UInt8.self, repeating: 0, count: max(1, capacity) * Self.size)
  }

  func deallocate() {
    places.deallocate()
  }

  var isEnabled: Bool { allowed > 0 }

  /// A new connection, whose server takes that many. [MQTT5-3.2.2-17]
  mutating func forget(allowing maximum: UInt16) {
    allowed = min(Int(maximum), capacity)
    for index in 0..<allowed { (places + index * Self.size).storeBytes(of: 0, as: UInt8.self) }
  }

  /// The alias of a topic, and whether the server knows it; nil when it gets none. What is new is taken
  /// down: the packet has to be sent.
  func alias(of topic: Span<UInt8>) -> (alias: UInt16, isKnown: Bool)? {
    guard topic.count <= Self.longest else { return nil }
    return topic.withUnsafeBytes { raw in
      guard let bytes = raw.baseAddress else { return nil }
      let count = raw.count
      let hash = Self.hash(bytes, count)
      let index = Int(truncatingIfNeeded: UInt64(truncatingIfNeeded: hash >> 32) &* UInt64(allowed) >> 32)
      let place = places + index * Self.size
      let alias = UInt16(truncatingIfNeeded: index + 1)
      if Int(place.load(as: UInt8.self)) == count, Self.isSame(place + 1, bytes, count) {
        return (alias, true)
      }
      place.storeBytes(of: UInt8(truncatingIfNeeded: count), as: UInt8.self)
      (place + 1).copyMemory(from: bytes, byteCount: count)
      return (alias, false)
    }
  }

  /// Word by word; the last word overlaps, so that none is incomplete.
  private static func hash(_ bytes: UnsafeRawPointer, _ count: Int) -> UInt64 {
    var hash = UInt64(truncatingIfNeeded: count)
    guard count >= 8 else {
      for index in 0..<count { hash = mix(hash, UInt64(bytes.load(fromByteOffset: index, as: UInt8.self))) }
      return hash
    }
    var index = 0
    while index < count - 8 {
      hash = mix(hash, bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      index += 8
    }
    return mix(hash, bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self))
  }

  private static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
    let product = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
    return product ^ product >> 29
  }

  private static func isSame(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int) -> Bool {
    guard count >= 8 else {
      for index in 0..<count {
        let byte = left.load(fromByteOffset: index, as: UInt8.self)
        if byte != right.load(fromByteOffset: index, as: UInt8.self) { return false }
      }
      return true
    }
    var index = 0
    while index < count - 8 {
      let word = left.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      if word != right.loadUnaligned(fromByteOffset: index, as: UInt64.self) { return false }
      index += 8
    }
    return left.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
      == right.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
  }
}
