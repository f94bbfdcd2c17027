/// What a value is a value of, and the unit it is published in. The ones below are those of the chips here; any
/// package may add its own:
///
///     extension Quantity {
///       static var salinity: Quantity { Quantity("salinity", "g/kg") }
///     }
public struct Quantity: Sendable {
  /// What a topic calls it; no two quantities have the same.
  public let name: StaticString
  /// The symbol of the unit of published values; empty: a bare number.
  public let unit: StaticString
  /// Home Assistant's `device_class`; empty: it has none for this.
  public let deviceClass: StaticString
  /// It only grows, such as a meter's count.
  public let isTotal: Bool

  public init(
    _ name: StaticString, _ unit: StaticString, _ deviceClass: StaticString = "", isTotal: Bool = false
  ) {
    self.name = name
    self.unit = unit
    self.deviceClass = deviceClass
    self.isTotal = isTotal
  }
}

extension Quantity {
  public static var temperature: Quantity { Quantity("temperature", "°C", "temperature") }
  public static var humidity: Quantity { Quantity("humidity", "%", "humidity") }
  public static var pressure: Quantity { Quantity("pressure", "hPa", "pressure") }
  public static var illuminance: Quantity { Quantity("illuminance", "lx", "illuminance") }
  public static var co2: Quantity { Quantity("co2", "ppm", "carbon_dioxide") }
  public static var tvoc: Quantity { Quantity("tvoc", "ppb", "volatile_organic_compounds_parts") }
  public static var airQuality: Quantity { Quantity("air_quality", "", "aqi") }
  public static var pm1: Quantity { Quantity("pm1", "µg/m³", "pm1") }
  public static var pm25: Quantity { Quantity("pm25", "µg/m³", "pm25") }
  public static var pm10: Quantity { Quantity("pm10", "µg/m³", "pm10") }
  public static var resistance: Quantity { Quantity("resistance", "Ω") }
  public static var voltage: Quantity { Quantity("voltage", "V", "voltage") }
  public static var current: Quantity { Quantity("current", "A", "current") }
  public static var power: Quantity { Quantity("power", "W", "power") }
  public static var energy: Quantity { Quantity("energy", "Wh", "energy", isTotal: true) }
  public static var frequency: Quantity { Quantity("frequency", "Hz", "frequency") }
  public static var rotationSpeed: Quantity { Quantity("rotation_speed", "rpm") }
  public static var flow: Quantity { Quantity("flow", "L/min", "volume_flow_rate") }
  public static var volume: Quantity { Quantity("volume", "L", "volume", isTotal: true) }
  public static var count: Quantity { Quantity("count", "", isTotal: true) }
  public static var distance: Quantity { Quantity("distance", "m", "distance") }
  public static var weight: Quantity { Quantity("weight", "kg", "weight") }
  public static var acceleration: Quantity { Quantity("acceleration", "m/s²") }
  public static var angularRate: Quantity { Quantity("angular_rate", "°/s") }
  public static var magneticFlux: Quantity { Quantity("magnetic_flux", "µT") }
  public static var ratio: Quantity { Quantity("ratio", "%") }
}

extension Quantity: Equatable {
  /// By name.
  public static func == (left: Quantity, right: Quantity) -> Bool { left.name.isSame(as: right.name) }
}

extension StaticString {
  /// Byte by byte: `String`'s own comparison would bring Unicode's tables into the program.
  func isSame(as other: StaticString) -> Bool {
    guard utf8CodeUnitCount == other.utf8CodeUnitCount else { return false }
    return withUTF8Buffer { mine in
      other.withUTF8Buffer { theirs in
        for index in 0..<mine.count where mine[index] != theirs[index] { return false }
        return true
      }
    }
  }
}
