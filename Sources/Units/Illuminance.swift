/// Light as the eye sees it, exact to a thousandth of a lux (up to two million).
public struct Illuminance: Equatable, Comparable, Sendable {
  public var milliLux: Int32

  public init(milliLux: Int32) {
    self.milliLux = milliLux
  }

  /// In thousandths of its customary unit, as channels of this quantity have it.
  public var thousandths: Int64 { Int64(milliLux) }

  public static func < (left: Illuminance, right: Illuminance) -> Bool { left.milliLux < right.milliLux }
}
