import HAL
import Units

/// The air and the light of a summer day, from the clock alone: 10 °C before dawn, 26 °C in the afternoon, drier
/// when it is warmer, and a slow swing of the pressure.
public final class DayCycle: Environment {
  private let clock: any MonotonicClock
  private let midnight: Instant

  private static let day: Int64 = 86_400_000

  /// The day begins now, at the given hour.
  public init(clock: any MonotonicClock, startsAtHour hour: Int64 = 9) {
    self.clock = clock
    midnight = Instant(nanoseconds: clock.now.nanoseconds - hour * 3_600 * 1_000_000_000)
    super.init()
  }

  public override func value(of quantity: Quantity) -> Int64 {
    switch quantity {
    case .temperature: 18_000 + wave(period: 1, peakHour: 15) * 8_000 / 1_000
    case .humidity: 60_000 - wave(period: 1, peakHour: 15) * 20_000 / 1_000
    case .pressure: 1_013_250 + wave(period: 4, peakHour: 30) * 5
    // Dark at night, 50,000 lx at noon
    case .illuminance: max(0, wave(period: 1, peakHour: 12)) * 50_000
    default: super.value(of: quantity)
    }
  }

  /// A rounded wave between -1000 and 1000 that peaks at an hour and repeats every `period` days: two
  /// parabolas stand in for the sine.
  private func wave(period: Int64, peakHour: Int64) -> Int64 {
    let length = DayCycle.day * period
    let sincePeak = ((clock.now - midnight).milliseconds - peakHour * 3_600_000) % length
    let quarter = length / 4
    // -quarter…3 quarters, so that the first half is the wave's upper one.
    let position = (sincePeak + length + quarter) % length - quarter
    let isUpper = position < quarter
    let fromMiddle = (isUpper ? position : position - 2 * quarter) * 1_000 / quarter
    let height = 1_000 - fromMiddle * fromMiddle / 1_000
    return isUpper ? height : -height
  }
}
