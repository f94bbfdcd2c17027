import HAL
import Units

/// An LM75 in the simulated air: nine bits, a conversion every 300 ms unless shut down.
///
/// Source: Texas Instruments SNIS153, "Temperature Register", "Configuration Register", "Shutdown Mode".
public final class LM75Model: ThermometerModel, SensorModel {
  private var ends: Instant

  /// Bits 6…0 of a temperature are undefined: a driver must not care.
  public override var undefinedBits: UInt16 { 0b0101_1011 }

  public init(environment: Environment, clock: any MonotonicClock) {
    ends = clock.now + .milliseconds(300)
    super.init(environment: environment, clock: clock, limitBits: 0xFF80)
  }

  public override func configure(_ value: UInt8) {
    if configuration & 1 != 0, value & 1 == 0 { ends = clock.now + .milliseconds(300) }
    configuration = value & 0b0001_1111
  }

  /// Conversions follow each other, so once the first has ended the temperature register holds what the air
  /// is like now.
  public override func settle(_ fault: Fault?) {
    guard configuration & 1 == 0, clock.now >= ends, fault != .neverReady else { return }
    let halves = (environment.thousandths(of: .temperature) + 256_250) / 500 - 512
    temperature = UInt16(bitPattern: Int16(min(max(halves, -256), 255)) << 7)
  }
}
