import Drivers
import HAL
import Simulation
import Testing
import Units

extension TMP105: ChipPromises {
  static let promises = Promises(
    sweep: { (-55 * 16...2_047).map { Air((.temperature, Air.nearest($0, step: 62.5))) } },
    within: [32],
    otherPrograms: [[[1, 0x60], [1, 0x00]], [[1, 0x01], [1, 0x81]], [[1, 0x01], [1, 0xE1]]],
    warmBytes: 12, warmTime: .milliseconds(320))
}

@Suite struct TMP105Tests {
  let clock = VirtualClock()
  let environment = Environment((.temperature, 20_312))
  let bus = SimulatedI2CBus()

  @Test(
    "TMP105: the data format table of the datasheet",
    arguments: [
      (0x7FF0, 127_938), (0x6400, 100_000), (0x5000, 80_000), (0x4B00, 75_000), (0x3200, 50_000),
      (0x1900, 25_000), (0x0040, 250), (0x0000, 0), (0xFFC0, -250), (0xE700, -25_000), (0xC900, -55_000),
    ] as [(UInt16, Int32)])
  func table(word: UInt16, milliCelsius: Int32) throws {
    var sensor = TMP105(FixedAnswer(word))
    _ = try sensor.start()
    while try sensor.advance() != nil {}
    #expect(try sensor.collect().temperature.milliCelsius == milliCelsius)
  }

  @Test("TMP105: all 65536 words: it yields a value of its range, or says that it is implausible")
  func everyWord() throws {
    let answer = FixedAnswer(0)
    var sensor = TMP105(answer)
    var implausible = 0
    for word in UInt16.min...UInt16.max {
      answer.word = word
      _ = try sensor.start()
      while try sensor.advance() != nil {}
      do throws(SensorError) {
        let value = try sensor.collect().temperature.milliCelsius
        #expect(value >= -55_000 && value <= 127_938)
      } catch {
        #expect(error == .implausible)
        implausible += 1
      }
    }
    #expect(implausible == 65_536 - (55 * 16 + 2_048))
  }

  @Test("TMP105: continuous after power-up, zero until the first conversion, then ever fresh, in nine bits")
  func continuous() throws {
    let device = bus.attach(TMP105Model(environment: environment, clock: clock), at: 0x48)
    #expect(try device.read(0, count: 2) == [0, 0])
    clock.advance(by: .microseconds(27_500))
    #expect(try device.read(0, count: 2) == [0x14, 0x00])
    environment.set(.temperature, thousandths: -40_000)
    clock.advance(by: .seconds(60))
    #expect(try device.read(0, count: 2) == [0xD8, 0])
  }

  @Test("TMP105: it shuts down after the conversion that runs, and makes none on demand before")
  func shutdown() throws {
    let device = bus.attach(TMP105Model(environment: environment, clock: clock), at: 0x48)
    environment.set(.temperature, thousandths: -40_000)
    try device.write(1, 0xE1)
    #expect(try device.read(1, count: 1) == [0x61])
    clock.advance(by: .seconds(1))
    #expect(try device.read(0, count: 2) == [0x14, 0x00], "of before, in nine bits")
    try device.write(1, 0xE1)
    clock.advance(by: .milliseconds(220))
    #expect(try device.read(0, count: 2) == [0xD8, 0])
  }

  @Test("TMP105: each bit of resolution doubles the time, and limits read back")
  func resolution() throws {
    let device = bus.attach(TMP105Model(environment: environment, clock: clock), at: 0x48)
    try device.write(1, 0x01)
    clock.advance(by: .seconds(1))
    for (setting, low) in [(UInt8(0), UInt8(0x80)), (1, 0x40), (2, 0x40), (3, 0x50)] {
      environment.set(.temperature, thousandths: 0)
      try device.write(1, 0x81)
      clock.advance(by: .seconds(1))
      environment.set(.temperature, thousandths: setting == 0 ? 20_500 : 20_312)
      try device.write(1, 0x81 | setting << 5)
      clock.advance(by: .microseconds(27_500 << Int64(setting)) - .nanoseconds(1))
      #expect(try device.read(0, count: 2)[0] != 20)
      clock.advance(by: .nanoseconds(1))
      #expect(try device.read(0, count: 2) == [20, low])
      #expect(try device.read(1, count: 1) == [0x01 | setting << 5])
    }
    try device.write(3, 0x32, 0x1F)
    #expect(try device.read(3, count: 2) == [0x32, 0x10])
  }
}
