import HAL
import Units

/// A DHT22 on the kernel's driver `dht11`: a message of five bytes when it is asked, from which the kernel answers
/// for two seconds.
///
/// Source: Aosong *AM2302 Product Manual*, "Single-bus communication"; Linux `drivers/iio/humidity/dht11.c`.
public final class DHT22Model: KernelDeviceModel, SensorModel {
  private let environment: Environment
  private let clock: any MonotonicClock
  private var milliCelsius: Int64 = 0
  private var milliPercent: Int64 = 0
  private var validUntil: Instant?

  /// Linux: `EIO`.
  private static var inputOutputError: Int32 { 5 }

  public init(environment: Environment, clock: any MonotonicClock) {
    self.environment = environment
    self.clock = clock
  }

  public func read(
    _ attribute: StaticString, into text: inout MutableSpan<UInt8>, fault: Fault?
  ) throws(BusError) -> Int {
    if fault == .neverReady { throw .timeout }
    if let validUntil, clock.now < validUntil {} else { try ask(fault) }
    var page = KernelText()
    page.append(decimal: attribute.utf8CodeUnitCount == 13 ? milliCelsius : milliPercent)
    page.append("\n")
    return page.copy(into: &text)
  }

  /// Humidity and temperature in tenths, sign and magnitude, and the sum of their bytes.
  private func ask(_ fault: Fault?) throws(BusError) {
    validUntil = nil
    let tenths = (environment.thousandths(of: .temperature) + 400_050) / 100 - 4_000
    let temperature = UInt16(min(max(tenths, -400), 800).magnitude) | (tenths < 0 ? 0x8000 : 0)
    let humidity = UInt16(min(max(environment.thousandths(of: .humidity) + 50, 0), 100_000) / 100)
    var message: InlineArray<5, UInt8> = [
      UInt8(humidity >> 8), UInt8(humidity & 0xFF), UInt8(temperature >> 8), UInt8(temperature & 0xFF), 0,
    ]
    for index in 0..<4 { message[4] &+= message[index] }
    if case .flippedBit(let bit) = fault { message[bit / 8 % 5] ^= 0x80 >> UInt8(bit % 8) }
    var sum: UInt8 = 0
    for index in 0..<4 { sum &+= message[index] }
    guard sum == message[4] else { throw .system(Self.inputOutputError) }
    let magnitude = Int64(message[2] & 0x7F) << 8 | Int64(message[3])
    milliCelsius = (message[2] & 0x80 == 0 ? magnitude : -magnitude) * 100
    milliPercent = (Int64(message[0]) << 8 | Int64(message[1])) * 100
    validUntil = clock.now + .seconds(2)
  }
}
