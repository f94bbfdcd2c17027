/// The physical quantities that sensors report, each with the customary unit it is published in.
public enum Quantity: UInt8, Sendable {
  case temperature
  case humidity
  case pressure

  /// The last level of the topic it is published on.
  public var name: StaticString {
    switch self {
    case .temperature: "temperature"
    case .humidity: "humidity"
    case .pressure: "pressure"
    }
  }

  /// The symbol of the unit of published values.
  public var unit: StaticString {
    switch self {
    case .temperature: "°C"
    case .humidity: "%"
    case .pressure: "hPa"
    }
  }

  /// Decimals in published values: what a good sensor resolves.
  public var decimals: Int {
    switch self {
    case .temperature, .humidity, .pressure: 2
    }
  }
}

/// One value of one quantity, in thousandths of its customary unit.
public struct Reading: Equatable, Sendable {
  public var quantity: Quantity
  public var thousandths: Int64

  public init(_ quantity: Quantity, thousandths: Int64) {
    self.quantity = quantity
    self.thousandths = thousandths
  }
}
