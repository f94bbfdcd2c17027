import Units

/// What a thermometer yields.
public struct TemperatureMeasurement: Measurement {
  public var temperature: Temperature

  public init(temperature: Temperature) {
    self.temperature = temperature
  }

  public func forEachReading(_ body: (Reading) -> Void) {
    body(temperature.reading)
  }
}

/// What a thermometer with a hygrometer yields.
public struct ClimateMeasurement: Measurement {
  public var temperature: Temperature
  public var humidity: RelativeHumidity

  public init(temperature: Temperature, humidity: RelativeHumidity) {
    self.temperature = temperature
    self.humidity = humidity
  }

  public func forEachReading(_ body: (Reading) -> Void) {
    body(temperature.reading)
    body(humidity.reading)
  }
}

/// What a barometer yields: the temperature is its own, a little above that of the air.
public struct BarometerMeasurement: Measurement {
  public var temperature: Temperature
  public var pressure: Pressure

  public init(temperature: Temperature, pressure: Pressure) {
    self.temperature = temperature
    self.pressure = pressure
  }

  public func forEachReading(_ body: (Reading) -> Void) {
    body(temperature.reading)
    body(pressure.reading)
  }
}
