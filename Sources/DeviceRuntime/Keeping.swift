import Boards
import DeviceFile
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

// `keep` and `priority`, `format`, `retain` and `expires` of whatever publishes readings.
extension ModuleFile {
  public func keeping() -> (Keeping, ReadingFormat) {
    let field = fields.optional("keep")
    let place = field?.choice(["none", "memory", "disk"]) ?? 0
    let importance = importance(onDisk: place == 2)
    let format: ReadingFormat = fields.optional("format")?.choice(["plain", "json"]) == 1 ? .json : .plain
    let mark = field?.mark ?? fields.mark
    if place == 2 { needs.keptOnDisk.append((mark, claimant.title)) }
    if place != 0, format != .json { needs.keptWithoutTime.append(mark) }
    return (place == 0 ? .nothing : place == 1 ? .memory : .disk(importance), format)
  }

  /// Whether the broker keeps the newest reading for whoever comes later, and for how many seconds; 0: for ever.
  public func retention(_ keeping: Keeping) -> (isRetained: Bool, expires: UInt32) {
    let isRetained = fields.optional("retain")?.state() ?? false
    guard let field = fields.optional("expires"), let time = field.milliseconds(atLeast: 1_000) else {
      return (isRetained, 0)
    }
    if !isRetained, keeping == .nothing {
      field.report("\(field.title) has no effect without 'retain: yes'", "say 'retain: yes'")
    }
    needs.expiring.append(field.mark)
    return (isRetained, UInt32(time / 1_000))
  }

  private func importance(onDisk: Bool) -> Keeping.Importance {
    guard let field = fields.optional("priority") else { return .normal }
    let choice = field.choice(["low", "normal", "high"])
    if !onDisk { field.report("\(field.title) has no effect without 'keep: disk'", "say 'keep: disk'") }
    return choice == 0 ? .low : choice == 2 ? .high : .normal
  }
}

extension Keeping {
  /// What `check` says of it.
  public var note: String {
    switch self {
    case .nothing: ""
    case .memory: ", kept in memory"
    case .disk(.normal): ", kept on disk"
    case .disk(.high): ", kept on disk with high priority"
    case .disk(.low): ", kept on disk with low priority"
    }
  }
}
