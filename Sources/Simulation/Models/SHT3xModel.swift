import HAL
import Units

/// An SHT3x in the simulated air: single shots without clock stretching, soft reset, status.
///
/// Source: Sensirion *Datasheet SHT3x-DIS*, version 5, sections 2 and 4.
public final class SHT3xModel: I2CTargetModel, SensorModel {
  private enum State {
    case idle
    case measuring(until: Instant)
    case status
  }

  private let environment: Environment
  private let clock: any MonotonicClock
  private var state: State = .idle
  private var temperature: UInt16 = 0
  private var humidity: UInt16 = 0

  public init(environment: Environment, clock: any MonotonicClock) {
    self.environment = environment
    self.clock = clock
  }

  public func receive(_ bytes: Span<UInt8>, fault: Fault?) -> Bool {
    if case .measuring(let end) = state, clock.now < end || fault == .neverReady { return false }
    guard bytes.count == 2 else { return bytes.count < 2 }
    switch UInt16(bytes[0]) << 8 | UInt16(bytes[1]) {
    case 0x2400: measure(for: .milliseconds(15))
    case 0x240B: measure(for: .milliseconds(6))
    case 0x2416: measure(for: .milliseconds(4))
    case 0x30A2: state = .idle
    case 0xF32D: state = .status
    default: return false
    }
    return true
  }

  public func send(into bytes: inout MutableSpan<UInt8>, fault: Fault?) -> Bool {
    switch state {
    case .idle:
      return false
    case .measuring(let end):
      guard clock.now >= end, fault != .neverReady else { return false }
      fill(&bytes, with: temperature, humidity)
    case .status:
      fill(&bytes, with: 0x8010, 0xFFFF)
    }
    state = .idle
    return true
  }

  private func measure(for duration: Duration) {
    let warmth = environment.thousandths(of: .temperature) + 45_000
    temperature = Self.share(of: warmth, in: 175_000)
    humidity = Self.share(of: environment.thousandths(of: .humidity), in: 100_000)
    state = .measuring(until: clock.now + duration)
  }

  private static func share(of part: Int64, in whole: Int64) -> UInt16 {
    UInt16(truncatingIfNeeded: (min(max(part, 0), whole) * 65_535 + whole / 2) / whole)
  }

  /// Two words, each followed by its checksum; then ones, as an idle bus reads.
  private func fill(_ bytes: inout MutableSpan<UInt8>, with first: UInt16, _ second: UInt16) {
    for index in 0..<bytes.count {
      let word = index < 3 ? first : second
      bytes[index] =
        switch index {
        case 0, 3: UInt8(word >> 8)
        case 1, 4: UInt8(word & 0xFF)
        case 2, 5: Self.checksum(word)
        default: 0xFF
        }
    }
  }

  /// The remainder of the word, its first byte inverted, followed by eight zeros, divided by
  /// x⁸ + x⁵ + x⁴ + 1.
  static func checksum(_ word: UInt16) -> UInt8 {
    var dividend = UInt32(word ^ 0xFF00) << 8
    for bit in stride(from: UInt32(23), to: 7, by: -1) where dividend >> bit & 1 == 1 {
      dividend ^= 0x131 << (bit - 8)
    }
    return UInt8(dividend)
  }
}
