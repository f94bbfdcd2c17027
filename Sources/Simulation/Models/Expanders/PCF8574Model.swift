/// A PCF8574: one register. A pin that is low is driven; one that is high is held by a weak current source, and
/// reads low when somebody pulls it down. Interrupts are not modelled.
///
/// Source: NXP PCF8574 Rev. 5, 8.1 "Quasi-bidirectional I/Os", 8.2 "Writing to the port (Output mode)", 8.3
/// "Reading from a port (Input mode)", 8.4 "Power-on reset".
public final class PCF8574Model: ExpanderModel {
  public let pins = ExpanderPins(outside: 0xFF)
  private var latch: UInt8 = 0xFF

  public init() {}

  /// The supply goes and comes back.
  public func losePower() {
    latch = 0xFF
    drive()
  }

  public func receive(_ bytes: Span<UInt8>, fault: Fault?) -> Bool {
    for index in 0..<bytes.count {
      latch = bytes[index]
      drive()
    }
    return true
  }

  public func send(into bytes: inout MutableSpan<UInt8>, fault: Fault?) -> Bool {
    for index in 0..<bytes.count { bytes[index] = UInt8(truncatingIfNeeded: pins.levels) }
    return true
  }

  private func drive() {
    pins.drive(UInt32(~latch), 0)
  }
}
