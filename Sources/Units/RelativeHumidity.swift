/// Relative humidity, exact to a thousandth of a percent.
public struct RelativeHumidity: Equatable, Comparable, Sendable {
  public var milliPercent: Int32

  public init(milliPercent: Int32) {
    self.milliPercent = milliPercent
  }

  /// In thousandths of its customary unit, as channels of this quantity have it.
  public var thousandths: Int64 { Int64(milliPercent) }

  public static func < (left: RelativeHumidity, right: RelativeHumidity) -> Bool {
    left.milliPercent < right.milliPercent
  }
}
