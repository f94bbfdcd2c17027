import MQTTClient

/// What a reading looks like on its topic.
public enum ReadingFormat: Sendable {
  /// `21.5`
  case plain
  /// `{"value":21.5,"sampled":1763700000000}`: with the time it was taken at, in milliseconds since 1970, if the
  /// time of day is known.
  case json
}

/// What becomes of a reading that cannot go out at once.
public enum Keeping: Equatable, Sendable {
  /// It is counted and dropped: a fresh one comes soon.
  case nothing
  /// It waits for the broker as long as the process lives, and there is room.
  case memory
  /// It waits for the broker on the disk, through restarts and loss of power.
  case disk(Importance)

  /// Which readings go first when the disk's share is full.
  public enum Importance: Sendable {
    case high, normal, low
  }

  var durability: MQTTDurability {
    switch self {
    case .nothing, .memory: .memory
    case .disk(.high): .disk(.high)
    case .disk(.normal): .disk(.normal)
    case .disk(.low): .disk(.low)
    }
  }
}
