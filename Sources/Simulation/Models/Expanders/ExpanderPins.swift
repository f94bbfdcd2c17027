/// What an expander's pins look like from outside. Pin n is bit n, 1 is high.
public struct PinLevels: Equatable, Sendable {
  /// The pins that the chip drives.
  public var driven: UInt32
  /// The levels on those pins, and 0 on the others.
  public var levels: UInt32

  public init(driven: UInt32, levels: UInt32) {
    self.driven = driven
    self.levels = levels & driven
  }
}

/// The pins of an expander's model.
public final class ExpanderPins {
  /// The levels that somebody else gives the pins which the chip does not drive.
  public var outside: UInt32
  /// What the chip does.
  public private(set) var now: PinLevels
  /// Told of every change, however short.
  public var changed: ((PinLevels) -> Void)?

  init(outside: UInt32, driven: UInt32 = 0, levels: UInt32 = 0) {
    self.outside = outside
    now = PinLevels(driven: driven, levels: levels)
  }

  /// The level on each pin.
  public var levels: UInt32 { now.levels | outside & ~now.driven }

  func drive(_ driven: UInt32, _ levels: UInt32) {
    let next = PinLevels(driven: driven, levels: levels)
    if next == now { return }
    now = next
    changed?(next)
  }
}
