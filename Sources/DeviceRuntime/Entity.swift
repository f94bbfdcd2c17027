import Units

/// One thing that others see of a module: what it is, which topics it has, and what may be said there. A module
/// declares its entities once; topics, `swiftletd check` and every dialect derive from them alone.
public struct Entity: Sendable {
  /// What it is to somebody who looks at it.
  public enum Role: UInt8, Sendable {
    case `switch`, binary, measurement, number, choice, cover, position, light, level, fan, lock, valve,
      climate
    case text, event
  }

  public struct Access: OptionSet, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// It has a value, which is retained on its topic.
    public static var state: Access { Access(rawValue: 1) }
    /// It obeys commands.
    public static var command: Access { Access(rawValue: 2) }
    /// Its values are readings: sent as they come, and retained with `retained` alone.
    public static var reading: Access { Access(rawValue: 4) }
    /// It belongs to the module's first entity where a dialect has one thing for both: a cover's position.
    public static var part: Access { Access(rawValue: 8) }
    /// For whoever looks after the device.
    public static var diagnostic: Access { Access(rawValue: 16) }
    /// A setting.
    public static var config: Access { Access(rawValue: 32) }
    /// The broker keeps its newest reading for whoever comes later.
    public static var retained: Access { Access(rawValue: 64) }
    /// Its readings are objects: `{"value":21.5}`.
    public static var object: Access { Access(rawValue: 128) }
  }

  public var role: Role
  /// The last level of its topics: `position` for `blind/position`. Empty: the module's own, `fan/state`, `fan/set`.
  public var key: StaticString
  public var access: Access
  public var quantity: Quantity?
  public var range: ClosedRange<Int32>?
  public var step: Int32
  /// The states, with `|` between them: `ON|OFF`.
  public var words: StaticString
  /// What may be sent, likewise.
  public var commands: StaticString
  /// Of its readings.
  public var decimals: UInt8 = 0
  /// A reading comes at least so often while all is well; zero: nobody knows.
  public var period = Duration.zero

  public init(
    _ role: Role, _ key: StaticString = "", access: Access, quantity: Quantity? = nil,
    range: ClosedRange<Int32>? = nil, step: Int32 = 1, words: StaticString = "", commands: StaticString = ""
  ) {
    self.role = role
    self.key = key
    self.access = access
    self.quantity = quantity
    self.range = range
    self.step = step
    self.words = words
    self.commands = commands
  }

  /// The module's own: its topics are `state` and `set`.
  public var isMain: Bool { key.utf8CodeUnitCount == 0 }

  /// Calls `body` with the last levels of its topics: `state` and `set`, `temperature`, `position` and
  /// `position/set`.
  public func forEachTopic(_ body: (_ key: StaticString, _ leaf: StaticString) -> Void) {
    if access.contains(.state) || access.contains(.reading) { body(key, isMain ? "state" : "") }
    if access.contains(.command) { body(key, "set") }
  }
}
