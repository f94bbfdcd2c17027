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

  private struct Slot {
    /// 0: free.
    var count: UInt8 = 0
    var bytes = InlineArray<62, UInt8>(repeating: 0)
  }

  private let slots: UnsafeMutablePointer<Slot>
  private let capacity: Int
  /// Those that the server allows.
  private var allowed = 0

  init(maximum: UInt16) {
    capacity = Int(maximum)
    slots = .allocate(capacity: max(1, capacity))
    slots.initialize(repeating: Slot(), count: max(1, capacity))
  }

  func deallocate() {
    slots.deallocate()
  }

  var isEnabled: Bool { allowed > 0 }

  /// A new connection, whose server takes that many. [MQTT5-3.2.2-17]
  mutating func forget(allowing maximum: UInt16) {
    allowed = min(Int(maximum), capacity)
    for index in 0..<allowed { slots[index].count = 0 }
  }

  /// The alias of a topic, and whether the server knows it; nil when it gets none. What is new is taken
  /// down: the packet has to be sent.
  mutating func alias(of topic: Span<UInt8>) -> (alias: UInt16, isKnown: Bool)? {
    guard topic.count <= Self.longest else { return nil }
    var hash: UInt32 = 2_166_136_261
    for index in topic.indices { hash = (hash ^ UInt32(topic[unchecked: index])) &* 16_777_619 }
    let index = Int(truncatingIfNeeded: UInt64(hash) &* UInt64(allowed) >> 32)
    let slot = slots + index
    let alias = UInt16(truncatingIfNeeded: index + 1)
    if Int(slot.pointee.count) == topic.count {
      var isSame = true
      for index in topic.indices where slot.pointee.bytes[index] != topic[unchecked: index] { isSame = false }
      if isSame { return (alias, true) }
    }
    slot.pointee.count = UInt8(truncatingIfNeeded: topic.count)
    for index in topic.indices { slot.pointee.bytes[index] = topic[unchecked: index] }
    return (alias, false)
  }
}
