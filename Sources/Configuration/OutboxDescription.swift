/// Where readings wait while the broker is away, when they are to outlive the process.
public struct OutboxDescription: Sendable {
  /// What goes when it is full.
  public enum Drop: Sendable { case oldest, newest, priority }

  public var mark: Mark
  public var path: String
  public var bytes: Int
  public var drop: Drop
}

/// What becomes of a sensor's readings that cannot go out at once.
public struct KeepDescription: Sendable {
  public enum Place: Sendable { case none, memory, disk }
  public enum Priority: Sendable { case high, normal, low }

  public var mark: Mark
  public var place = Place.none
  public var priority = Priority.normal
}
