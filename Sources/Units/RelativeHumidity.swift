/// Relative humidity, exact to a thousandth of a percent.
public struct RelativeHumidity: Equatable, Comparable, Sendable {
  public var milliPercent: Int32

  public init(milliPercent: Int32) {
    self.milliPercent = milliPercent
  }

  public var reading: Reading { Reading(.humidity, thousandths: Int64(milliPercent)) }

  public static func < (left: RelativeHumidity, right: RelativeHumidity) -> Bool {
    left.milliPercent < right.milliPercent
  }
}
