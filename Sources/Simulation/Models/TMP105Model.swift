import HAL
import Units

/// A TMP105 in the simulated air: 9 to 12 bits, continuous or one-shot conversions, limit registers.
///
/// Source: Texas Instruments SLLS648, "Pointer Register" to "Converter Resolution", tables 1 to 8.
public final class TMP105Model: I2CTargetModel {
  private let environment: Environment
  private let clock: any MonotonicClock
  private var pointer: UInt8 = 0
  private var temperature: UInt16 = 0
  private var configuration: UInt8 = 0
  private var limits: InlineArray<2, UInt16> = [0x4B00, 0x5000]
  /// The conversion that runs: what it will find, and when.
  private var result: UInt16 = 0
  private var ends: Instant?

  public init(environment: Environment, clock: any MonotonicClock) {
    self.environment = environment
    self.clock = clock
    convert()
  }

  public func receive(_ bytes: Span<UInt8>, fault: Fault?) -> Bool {
    settle(fault)
    guard bytes.count > 0 else { return true }
    pointer = bytes[0] & 0b11
    switch (pointer, bytes.count) {
    case (1, 2): configure(bytes[1])
    case (2, 3), (3, 3): limits[Int(pointer) - 2] = (UInt16(bytes[1]) << 8 | UInt16(bytes[2])) & 0xFFF0
    default: break
    }
    return true
  }

  public func send(into bytes: inout MutableSpan<UInt8>, fault: Fault?) -> Bool {
    settle(fault)
    let value =
      switch pointer {
      case 0: temperature
      case 1: UInt16(configuration) << 8 | UInt16(configuration)
      default: limits[Int(pointer) - 2]
      }
    for index in 0..<bytes.count {
      bytes[index] = UInt8(truncatingIfNeeded: index % 2 == 0 ? value >> 8 : value)
    }
    return true
  }

  private var isShutDown: Bool { configuration & 1 != 0 }

  private func configure(_ value: UInt8) {
    configuration = value & 0x7F  // the one-shot bit always reads zero
    if !isShutDown || value & 0x80 != 0 { convert() }
  }

  /// Begins a conversion. Each bit of resolution beyond nine doubles the 27.5 ms.
  private func convert() {
    let extraBits = configuration >> 5 & 0b11
    let sixteenths = (Int64(environment.temperature.milliCelsius) * 16 + 2_048_500) / 1_000 - 2_048
    let clamped = UInt16(bitPattern: Int16(min(max(sixteenths, -2_048), 2_047)) << 4)
    result = clamped & (0xFFFF << (7 - UInt16(extraBits)))
    ends = clock.now + .microseconds(27_500 << Int64(extraBits))
  }

  /// Brings the registers to the present.
  private func settle(_ fault: Fault?) {
    guard let ends, clock.now >= ends, fault != .neverReady else { return }
    self.ends = nil
    if !isShutDown { convert() }  // many have ended since: this is what the latest of them found
    temperature = result
  }
}
