/// One of the values that a chip measures, known before anything is opened. A chip has as many as it likes, several
/// of one quantity too: a vector's `x`, `y` and `z`, an analog converter's inputs.
///
/// Its readings are whole numbers of 10^-scale of the unit, so that a driver keeps what its chip resolves; they are
/// published with `decimals` decimals, rounded half away from zero.
public struct Channel: Equatable, Sendable {
  /// Tells channels of one quantity apart; empty: the only one of its quantity.
  public let key: StaticString
  public let quantity: Quantity
  /// Decimals in published values: what the chip is good for. At most `scale`.
  public let decimals: UInt8
  /// A reading's value is in 10^-scale of the unit: thousandths, if nothing else is said. At most 18.
  public let scale: UInt8

  public init(_ quantity: Quantity, key: StaticString = "", decimals: UInt8, scale: UInt8 = 3) {
    self.key = key
    self.quantity = quantity
    self.scale = min(scale, 18)
    self.decimals = min(decimals, self.scale)
  }

  /// The last level of the topic it is published on.
  public var name: StaticString { key.utf8CodeUnitCount == 0 ? quantity.name : key }

  public static func == (left: Channel, right: Channel) -> Bool {
    left.key.isSame(as: right.key) && left.quantity == right.quantity && left.decimals == right.decimals
      && left.scale == right.scale
  }
}
