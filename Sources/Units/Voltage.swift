/// A voltage, exact to a millionth of a volt (up to 2 kV).
public struct Voltage: Equatable, Comparable, Sendable {
  public var microvolts: Int32

  public init(microvolts: Int32) {
    self.microvolts = microvolts
  }

  public static func < (left: Voltage, right: Voltage) -> Bool { left.microvolts < right.microvolts }
}
