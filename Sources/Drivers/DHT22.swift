import HAL
import Units

/// DHT22 (AM2302, AM2301): thermometer (−40 … +80 °C, 0.1 °C steps, ±0.5 °C) and hygrometer (0 … 100 %, 0.1 % steps,
/// ±2 %) on a line of its own, through the kernel's driver `dht11`, which times the edges. The DHT11 works with it,
/// in whole degrees and percent.
///
/// - A measurement reads `in_temp_input` and `in_humidityrelative_input` once each, in `collect`; `start` reads
///   nothing. The kernel asks the chip at the first and answers the second from the same message.
/// - `.bus` when a file cannot be read: `.timeout` when the chip does not answer, the system's number for an
///   input/output error when edges were missed or the chip's checksum does not match; `.bus(.shortTransfer)` when the
///   text ends too early; `.implausible` when it is no number, or outside the range.
///
/// Source: Aosong *AM2302 Product Manual*: "Technical Parameters", "Single-bus communication"; Linux
/// `drivers/iio/humidity/dht11.c` (units of the attributes, validity of 2 s, errors).
public struct DHT22: KernelSensor {
  public static var name: StaticString { "DHT22" }
  /// The chip must be left alone for two seconds; the kernel answers from its last message until then.
  public static var shortestPeriod: Duration { .milliseconds(2_500) }

  private let device: any KernelDevice
  private var isStarted = false

  public init(_ device: any KernelDevice) {
    self.device = device
  }

  public mutating func start() throws(SensorError) -> Duration {
    isStarted = true
    return .zero
  }

  public mutating func collect() throws(SensorError) -> ClimateMeasurement {
    guard isStarted else { throw .notReady }
    isStarted = false
    let milliCelsius = try device.number("in_temp_input")
    let milliPercent = try device.number("in_humidityrelative_input")
    guard milliCelsius >= -40_000, milliCelsius <= 80_000, milliPercent >= 0, milliPercent <= 100_000 else {
      throw .implausible
    }
    return ClimateMeasurement(
      temperature: Temperature(milliCelsius: milliCelsius),
      humidity: RelativeHumidity(milliPercent: milliPercent))
  }
}
