import Units

/// The air around the simulated chips: what it is here is what they measure.
open class Environment {
  open var temperature: Temperature
  open var humidity: RelativeHumidity
  open var pressure: Pressure

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
