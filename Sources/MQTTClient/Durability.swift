/// What is kept longest when the store is full, and sent first when there is room again.
public enum MQTTPriority: UInt8, Sendable {
  case high, normal, low
}

/// What a QoS 1 or 2 message survives.
public enum MQTTDurability: Equatable, Sendable {
  /// Lost connections.
  case memory
  /// The end of the process and power loss as well, once `commit` has answered true. Without a store as
  /// `memory`.
  case disk(MQTTPriority)

  public static var disk: MQTTDurability { .disk(.normal) }
}

/// The durability of messages whose topic matches a filter.
public struct MQTTDurabilityRule: Sendable {
  public var filter: String
  public var durability: MQTTDurability

  public init(filter: String, durability: MQTTDurability) {
    self.filter = filter
    self.durability = durability
  }
}

/// Which message goes when the store is full. Never one that the server may have begun to receive.
public enum MQTTDropPolicy: Sendable {
  /// The one that waits longest.
  case oldest
  /// The new one: `publish` throws `outboxFull`.
  case newest
  /// The oldest of the lowest priority, unless the new one's is lower still.
  case lowestPriority
}
