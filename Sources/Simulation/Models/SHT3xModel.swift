import HAL
import Units

/// An SHT3x in the simulated air: single shots, periodic modes with fetch and break, heater, soft reset, status.
/// In a periodic mode it acknowledges no command but fetch and break, as people find it. A single shot with clock
/// stretching is not acknowledged before its end either.
///
/// Source: Sensirion *Datasheet SHT3x-DIS*, version 5: 2.2 "Timing", 4.3 to 4.8 (the modes), 4.9 "Reset", 4.10
/// "Heater", 4.11 "Status Register"; libdriver/sht35, pull request 8, for what is not acknowledged.
public final class SHT3xModel: I2CTargetModel, SensorModel {
  private enum State {
    case idle
    case measuring(until: Instant)
    case periodic(every: Duration, next: Instant, isFetched: Bool)
    /// Stopping or resetting: deaf.
    case busy(until: Instant)
    case status
  }

  private let environment: Environment
  private let clock: any MonotonicClock
  private var state: State = .idle
  private var temperature: UInt16 = 0
  private var humidity: UInt16 = 0
  private var isHeating = false

  public init(environment: Environment, clock: any MonotonicClock) {
    self.environment = environment
    self.clock = clock
  }

  public func receive(_ bytes: Span<UInt8>, fault: Fault?) -> Bool {
    if case .measuring(let end) = state, clock.now < end || fault == .neverReady { return false }
    if case .busy(let end) = state, clock.now < end { return false }
    guard bytes.count == 2 else { return bytes.count < 2 }
    let command = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
    if case .periodic(let every, let next, _) = state {
      switch command {
      case 0x3093: state = .busy(until: clock.now + .milliseconds(1))
      case 0xE000: state = .periodic(every: every, next: next, isFetched: true)
      default: return false
      }
      return true
    }
    return obey(command)
  }

  /// A command in the single shot mode.
  private func obey(_ command: UInt16) -> Bool {
    if let period = Self.period(of: command) {
      state = .periodic(every: period, next: clock.now + .milliseconds(15), isFetched: false)
      return true
    }
    switch command {
    case 0x2400, 0x2C06: measure(for: .milliseconds(15))
    case 0x240B, 0x2C0D: measure(for: .milliseconds(6))
    case 0x2416, 0x2C10: measure(for: .milliseconds(4))
    case 0x3093: state = .busy(until: clock.now + .milliseconds(1))
    case 0x306D: isHeating = true
    case 0x3066: isHeating = false
    case 0x30A2:
      isHeating = false
      state = .busy(until: clock.now + .microseconds(1_500))
    case 0xF32D: state = .status
    default: return false
    }
    return true
  }

  /// How often the mode measures that the command begins; nil: it is another command.
  private static func period(of command: UInt16) -> Duration? {
    switch command {
    case 0x2032, 0x2024, 0x202F: .seconds(2)
    case 0x2130, 0x2126, 0x212D: .seconds(1)
    case 0x2236, 0x2220, 0x222B: .milliseconds(500)
    case 0x2334, 0x2322, 0x2329, 0x2B32: .milliseconds(250)
    case 0x2737, 0x2721, 0x272A: .milliseconds(100)
    default: nil
    }
  }

  public func send(into bytes: inout MutableSpan<UInt8>, fault: Fault?) -> Bool {
    switch state {
    case .idle, .busy:
      return false
    case .periodic(let every, let next, let isFetched):
      guard isFetched, clock.now >= next, fault != .neverReady else { return false }
      look()
      fill(&bytes, with: temperature, humidity)
      state = .periodic(every: every, next: clock.now + every, isFetched: false)
      return true
    case .measuring(let end):
      guard clock.now >= end, fault != .neverReady else { return false }
      fill(&bytes, with: temperature, humidity)
    case .status:
      fill(&bytes, with: isHeating ? 0xA010 : 0x8010, 0xFFFF)
    }
    state = .idle
    return true
  }

  private func measure(for duration: Duration) {
    look()
    state = .measuring(until: clock.now + duration)
  }

  /// What it is like now; its heater makes that a few degrees more.
  private func look() {
    let warmth = environment.thousandths(of: .temperature) + 45_000 + (isHeating ? 3_000 : 0)
    temperature = Self.share(of: warmth, in: 175_000)
    humidity = Self.share(of: environment.thousandths(of: .humidity), in: 100_000)
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
