/// Absolute pressure, exact to a thousandth of a pascal (up to 21 bar).
public struct Pressure: Equatable, Comparable, Sendable {
  public var milliPascals: Int32

  public init(milliPascals: Int32) {
    self.milliPascals = milliPascals
  }

  public var pascals: Int32 { milliPascals / 1_000 }

  /// In thousandths of its customary unit, the hectopascal.
  public var thousandths: Int64 { Int64(milliPascals) / 100 }

  public static func < (left: Pressure, right: Pressure) -> Bool {
    left.milliPascals < right.milliPascals
  }
}
