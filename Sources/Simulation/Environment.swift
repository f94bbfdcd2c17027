import Units

/// The air around the simulated chips: what it is here is what they measure.
public final class Environment {
  public var temperature: Temperature
  public var humidity: RelativeHumidity
  public var pressure: Pressure

  public init(
    temperature: Temperature = Temperature(milliCelsius: 20_000),
    humidity: RelativeHumidity = RelativeHumidity(milliPercent: 50_000),
    pressure: Pressure = Pressure(milliPascals: 101_325_000)
  ) {
    self.temperature = temperature
    self.humidity = humidity
    self.pressure = pressure
  }
}
