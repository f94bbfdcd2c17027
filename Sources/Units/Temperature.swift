/// A temperature, exact to a thousandth of a degree Celsius.
public struct Temperature: Equatable, Comparable, Sendable {
  public var milliCelsius: Int32

  public init(milliCelsius: Int32) {
    self.milliCelsius = milliCelsius
  }

  /// In thousandths of its customary unit, as channels of this quantity have it.
  public var thousandths: Int64 { Int64(milliCelsius) }

  public static func < (left: Temperature, right: Temperature) -> Bool {
    left.milliCelsius < right.milliCelsius
  }
}
