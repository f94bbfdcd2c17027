/// A temperature, exact to a thousandth of a degree Celsius.
public struct Temperature: Equatable, Comparable, Sendable {
  public var milliCelsius: Int32

  public init(milliCelsius: Int32) {
    self.milliCelsius = milliCelsius
  }

  public var reading: Reading { Reading(.temperature, thousandths: Int64(milliCelsius)) }

  public static func < (left: Temperature, right: Temperature) -> Bool {
    left.milliCelsius < right.milliCelsius
  }
}
