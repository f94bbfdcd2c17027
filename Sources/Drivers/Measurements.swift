import Units

/// What a thermometer yields.
public struct TemperatureMeasurement: Measurement {
  public var temperature: Temperature
  /// `.estimated`: it has not changed for so long that it may be a value of before.
  public var quality: Quality

  public init(temperature: Temperature, quality: Quality = .good) {
    self.temperature = temperature
    self.quality = quality
  }

  public static func forEachChannel(_ body: (Channel) -> Void) {
    body(Channel(.temperature, decimals: 2))
  }

  public func forEachReading(_ body: (Reading) -> Void) {
    body(Reading(0, temperature.thousandths, quality))
  }
}

/// What a thermometer with a hygrometer yields.
public struct ClimateMeasurement: Measurement {
  public var temperature: Temperature
  public var humidity: RelativeHumidity
  /// `.estimated`: the chip is stuck, and both may be values of before.
  public var quality = Quality.good

  public init(temperature: Temperature, humidity: RelativeHumidity) {
    self.temperature = temperature
    self.humidity = humidity
  }

  public static func forEachChannel(_ body: (Channel) -> Void) {
    body(Channel(.temperature, decimals: 2))
    body(Channel(.humidity, decimals: 2))
  }

  public func forEachReading(_ body: (Reading) -> Void) {
    body(Reading(0, temperature.thousandths, quality))
    body(Reading(1, humidity.thousandths, quality))
  }
}

/// What a barometer yields: the temperature is its own, a little above that of the air.
public struct BarometerMeasurement: Measurement {
  public var temperature: Temperature
  public var pressure: Pressure
  /// `.estimated`: it is stuck, and may be a value of before.
  public var temperatureQuality = Quality.good
  public var pressureQuality = Quality.good

  public init(temperature: Temperature, pressure: Pressure) {
    self.temperature = temperature
    self.pressure = pressure
  }

  public static func forEachChannel(_ body: (Channel) -> Void) {
    body(Channel(.temperature, decimals: 2))
    body(Channel(.pressure, decimals: 2))
  }

  public func forEachReading(_ body: (Reading) -> Void) {
    body(Reading(0, temperature.thousandths, temperatureQuality))
    body(Reading(1, pressure.thousandths, pressureQuality))
  }
}

/// What a light sensor yields.
public struct LightMeasurement: Measurement {
  public var illuminance: Illuminance
  /// `.estimated`: it is at least that bright.
  public var quality: Quality

  public init(illuminance: Illuminance, quality: Quality = .good) {
    self.illuminance = illuminance
    self.quality = quality
  }

  public static func forEachChannel(_ body: (Channel) -> Void) {
    body(Channel(.illuminance, decimals: 1))
  }

  public func forEachReading(_ body: (Reading) -> Void) {
    body(Reading(0, illuminance.thousandths, quality))
  }
}
