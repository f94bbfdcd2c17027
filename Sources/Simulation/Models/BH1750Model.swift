import HAL
import Units

/// A BH1750FVI in the simulated light: continuous and one-time measurements, high and low resolution, power down and
/// reset, and the measurement time register: time and counts grow with it. Nothing but a loss of power resets that.
///
/// Source: ROHM *BH1750FVI Technical Note*, 2009.04 Rev. B: "Measurement Procedure", "Instruction Set Architecture",
/// "Adjust measurement result for influence of optical window".
public final class BH1750Model: I2CTargetModel, SensorModel {
  private let environment: Environment
  private let clock: any MonotonicClock
  private var isOn = false
  private var result: UInt16 = 0
  private var mode: UInt8 = 0
  private var ends: Instant?
  private var measurementTime: UInt8 = 69

  public init(environment: Environment, clock: any MonotonicClock) {
    self.environment = environment
    self.clock = clock
  }

  /// One instruction a write: the chip takes no more than one between start and stop.
  public func receive(_ bytes: Span<UInt8>, fault: Fault?) -> Bool {
    settle(fault)
    guard bytes.count == 1 else { return bytes.count == 0 }
    switch bytes[0] {
    case 0x00:
      isOn = false
      ends = nil
    case 0x01: isOn = true
    case 0x07 where isOn: result = 0
    case 0x10, 0x11, 0x13, 0x20, 0x21, 0x23:
      isOn = true
      mode = bytes[0]
      // Durations are divided in 128 bits, which a library of the compiler's would do.
      let usual: Int64 = mode & 0b11 == 0b11 ? 24_000_000 : 180_000_000
      ends = clock.now + .nanoseconds(usual * Int64(measurementTime) / 69)
    case 0x40...0x47: measurementTime = measurementTime & 0b0001_1111 | bytes[0] << 5
    case 0x60...0x7F: measurementTime = measurementTime & 0b1110_0000 | bytes[0] & 0b0001_1111
    default: break
    }
    return true
  }

  public func send(into bytes: inout MutableSpan<UInt8>, fault: Fault?) -> Bool {
    settle(fault)
    for index in 0..<bytes.count {
      bytes[index] = UInt8(truncatingIfNeeded: index % 2 == 0 ? result >> 8 : result)
    }
    return true
  }

  private func settle(_ fault: Fault?) {
    guard let ends, clock.now >= ends, fault != .neverReady else { return }
    // 1.2 counts a lux; the second high resolution has twice as many, the low one a quarter of the steps.
    let twice: Int64 = mode & 0b11 == 0b01 ? 2 : 1
    let share = 12 * twice * Int64(measurementTime)
    let counts = (max(0, environment.thousandths(of: .illuminance)) * share + 345_000) / 690_000
    result = UInt16(min(counts, 0xFFFF)) & (mode & 0b11 == 0b11 ? 0xFFFC : 0xFFFF)
    if mode & 0x20 != 0 {
      self.ends = nil
      isOn = false
    }
  }
}
