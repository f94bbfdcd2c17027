import HAL
import Units

/// An MCP3008 with the voltages of the environment at its inputs, `ch0` to `ch7`, and a reference of 3.3 V: single
/// inputs and pairs, the result forwards and then in reverse.
///
/// Source: Microchip *MCP3004/3008*, DS21295: 4.1 "Digital Output Code", 5.0 "Serial Communication" (table 5-2,
/// figures 5-1 and 5-2).
public final class MCP3008Model: SPITargetModel, SensorModel {
  private let environment: Environment

  public convenience init(environment: Environment, clock: any MonotonicClock) {
    self.init(environment: environment)
  }

  public init(environment: Environment) {
    self.environment = environment
  }

  /// Bit by bit: zeros before the start bit are ignored, four bits of configuration follow it, one clock of sampling,
  /// then the result.
  public func transfer(_ bytes: Span<UInt8>, into answer: inout MutableSpan<UInt8>, fault: Fault?) {
    var sinceStart = -1
    var configuration: UInt8 = 0
    for bit in 0..<8 * bytes.count {
      let isOne = bytes[bit / 8] >> UInt8(7 - bit % 8) & 1 == 1
      if sinceStart < 0 {
        if isOne { sinceStart = 0 }
        continue
      }
      sinceStart += 1
      if sinceStart <= 4 { configuration = configuration << 1 | (isOne ? 1 : 0) }
      // The line floats until the null bit.
      if sinceStart >= 6, !level(at: sinceStart - 6, result(configuration)) {
        answer[bit / 8] &= ~(0x80 >> UInt8(bit % 8))
      }
    }
  }

  /// A null bit, B9…B0, B1…B9, and zeros from then on.
  private func level(at clock: Int, _ result: UInt16) -> Bool {
    switch clock {
    case 1...10: result >> UInt16(10 - clock) & 1 == 1
    case 11...19: result >> UInt16(clock - 10) & 1 == 1
    default: false
    }
  }

  /// 1024 steps to the reference, never more than 1023.
  private func result(_ configuration: UInt8) -> UInt16 {
    let isSingle = configuration & 0b1000 != 0
    let input = configuration & 0b0111
    let millivolts = isSingle ? voltage(input) : voltage(input) - voltage(input ^ 1)
    return UInt16(min(max(millivolts, 0) * 1_024 / 3_300, 1_023))
  }

  private func voltage(_ input: UInt8) -> Int64 {
    let keys: InlineArray<8, StaticString> = ["ch0", "ch1", "ch2", "ch3", "ch4", "ch5", "ch6", "ch7"]
    return environment.thousandths(of: .voltage, keys[Int(input)])
  }
}
