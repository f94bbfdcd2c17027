import HAL
import Units

/// An LM75 in the simulated air: nine bits, a conversion every 300 ms unless shut down.
///
/// Source: Texas Instruments SNIS153, "Temperature Register", "Configuration Register", "Shutdown Mode".
public final class LM75Model: I2CTargetModel {
  private let environment: Environment
  private let clock: any MonotonicClock
  private var pointer: UInt8 = 0
  private var temperature: UInt16 = 0
  private var configuration: UInt8 = 0
  private var limits: InlineArray<2, UInt16> = [0x4B00, 0x5000]
  private var ends: Instant

  /// Bits 6…0 of a temperature are undefined: a driver must not care.
  private static var undefinedBits: UInt16 { 0b0101_1011 }

  public init(environment: Environment, clock: any MonotonicClock) {
    self.environment = environment
    self.clock = clock
    ends = clock.now + .milliseconds(300)
  }

  public func receive(_ bytes: Span<UInt8>, fault: Fault?) -> Bool {
    settle(fault)
    guard bytes.count > 0 else { return true }
    pointer = bytes[0] & 0b11
    switch (pointer, bytes.count) {
    case (1, 2):
      if configuration & 1 != 0, bytes[1] & 1 == 0 { ends = clock.now + .milliseconds(300) }
      configuration = bytes[1] & 0b0001_1111
    case (2, 3), (3, 3):
      limits[Int(pointer) - 2] = (UInt16(bytes[1]) << 8 | UInt16(bytes[2])) & 0xFF80
    default: break
    }
    return true
  }

  public func send(into bytes: inout MutableSpan<UInt8>, fault: Fault?) -> Bool {
    settle(fault)
    let value =
      switch pointer {
      case 0: temperature | Self.undefinedBits
      case 1: UInt16(configuration) << 8 | UInt16(configuration)
      default: limits[Int(pointer) - 2]
      }
    for index in 0..<bytes.count {
      bytes[index] = UInt8(truncatingIfNeeded: index % 2 == 0 ? value >> 8 : value)
    }
    return true
  }

  /// Brings the temperature register to the present: conversions follow each other, so once the first has
  /// ended it holds what the air is like now.
  private func settle(_ fault: Fault?) {
    guard configuration & 1 == 0, clock.now >= ends, fault != .neverReady else { return }
    let halves = (Int64(environment.temperature.milliCelsius) + 256_250) / 500 - 512
    temperature = UInt16(bitPattern: Int16(min(max(halves, -256), 255)) << 7)
  }
}
