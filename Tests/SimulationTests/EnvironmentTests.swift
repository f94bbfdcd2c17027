import HAL
import Simulation
import Testing
import Units

/// The air of a summer day.
@Suite struct DayCycleTests {
  let clock = VirtualClock()

  /// The temperature at each minute of `days` days.
  func temperatures(_ cycle: DayCycle, days: Int) -> [Int64] {
    (0..<days * 1_440).map { _ in
      defer { clock.advance(by: .seconds(60)) }
      return cycle.thousandths(of: .temperature)
    }
  }

  @Test("it is 26 °C at three in the afternoon and 10 °C twelve hours later")
  func extremes() {
    let cycle = DayCycle(clock: clock, startsAtHour: 15)
    #expect(cycle.thousandths(of: .temperature) == 26_000)
    clock.advance(by: .seconds(12 * 3_600))
    #expect(cycle.thousandths(of: .temperature) == 10_000)
  }

  @Test("every day is the same, and nothing jumps")
  func periodic() {
    let minutes = temperatures(DayCycle(clock: clock), days: 2)
    #expect(minutes[..<1_440] == minutes[1_440...])
    #expect(zip(minutes, minutes.dropFirst()).allSatisfy { abs($0 - $1) <= 50 })
    #expect(minutes.min() == 10_000 && minutes.max() == 26_000)
  }

  @Test("the air is drier when it is warmer, and pressure stays within 5 hPa of the normal one")
  func humidityAndPressure() {
    let cycle = DayCycle(clock: clock, startsAtHour: 15)
    #expect(cycle.thousandths(of: .humidity) == 40_000)
    clock.advance(by: .seconds(12 * 3_600))
    #expect(cycle.thousandths(of: .humidity) == 80_000)
    for _ in 0..<96 {
      clock.advance(by: .seconds(3_600))
      #expect(abs(cycle.thousandths(of: .pressure) - 1_013_250) <= 5_000)
    }
  }
}

/// What a person or a test makes of it.
@Suite struct EnvironmentTests {
  let clock = VirtualClock()

  @Test("what is set holds until it is cleared, whatever the day does, and touches nothing else")
  func setAndClear() {
    let cycle = DayCycle(clock: clock, startsAtHour: 15)
    cycle.set(.temperature, thousandths: 31_500)
    clock.advance(by: .seconds(12 * 3_600))
    #expect(cycle.thousandths(of: .temperature) == 31_500)
    #expect(cycle.thousandths(of: .humidity) == 80_000)
    cycle.set(.temperature, thousandths: -5)
    #expect(cycle.thousandths(of: .temperature) == -5)
    cycle.clear(.temperature)
    #expect(cycle.thousandths(of: .temperature) == 10_000)
    cycle.clear(.temperature)
  }

  @Test("a quantity that nobody here knows can be set too")
  func foreignQuantity() {
    let environment = Environment()
    let salinity = Quantity("salinity", "g/kg")
    #expect(environment.thousandths(of: salinity) == 0)
    environment.set(salinity, thousandths: 35_000)
    #expect(environment.thousandths(of: Quantity("salinity", "")) == 35_000)
  }

  @Test("a key has its own value, and without one that of its quantity")
  func keys() {
    let environment = Environment((.voltage, 1_000))
    environment.set(.voltage, "ch3", thousandths: 2_500)
    #expect(environment.thousandths(of: .voltage, "ch3") == 2_500)
    #expect(environment.thousandths(of: .voltage, "ch4") == 1_000)
    #expect(environment.thousandths(of: .voltage) == 1_000)
    environment.clear(.voltage, "ch3")
    #expect(environment.thousandths(of: .voltage, "ch3") == 1_000)
  }
}
