import HAL
import Units

/// A TMP105 in the simulated air: 9 to 12 bits, continuous or one-shot conversions, limit registers. It shuts down when
/// the conversion that runs has ended, and the one-shot bit begins another only once it has.
///
/// Source: Texas Instruments SLLS648, "Pointer Register" to "Converter Resolution", tables 1 to 8.
public final class TMP105Model: ThermometerModel, SensorModel {
  /// The conversion that runs: what it will find, and when.
  private var result: UInt16 = 0
  private var ends: Instant?

  public init(environment: Environment, clock: any MonotonicClock) {
    super.init(environment: environment, clock: clock, limitBits: 0xFFF0)
    convert()
  }

  private var isShutDown: Bool { configuration & 1 != 0 }

  public override func configure(_ value: UInt8) {
    let wasShutDown = isShutDown && ends == nil
    configuration = value & 0x7F  // the one-shot bit always reads zero
    if !isShutDown || wasShutDown && value & 0x80 != 0 { convert() }
  }

  /// Begins a conversion. Each bit of resolution beyond nine doubles the 27.5 ms.
  private func convert() {
    let extraBits = configuration >> 5 & 0b11
    let sixteenths = (environment.thousandths(of: .temperature) * 16 + 2_048_500) / 1_000 - 2_048
    let clamped = UInt16(bitPattern: Int16(min(max(sixteenths, -2_048), 2_047)) << 4)
    result = clamped & (0xFFFF << (7 - UInt16(extraBits)))
    ends = clock.now + .microseconds(27_500 << Int64(extraBits))
  }

  public override func settle(_ fault: Fault?) {
    guard let ends, clock.now >= ends, fault != .neverReady else { return }
    self.ends = nil
    if !isShutDown { convert() }  // many have ended since: this is what the latest of them found
    temperature = result
  }
}
