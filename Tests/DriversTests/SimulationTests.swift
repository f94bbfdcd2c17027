import HAL
import Simulation
import Testing
import Units

/// What the models do beyond what the drivers ask of them, and the bus they are on.
@Suite struct SimulationTests {
  let clock = VirtualClock()
  let environment = Environment(temperature: Temperature(milliCelsius: 20_312))
  let bus = SimulatedI2CBus()

  /// Reads registers through the bus, as a driver would.
  func read(_ device: any I2CDevice, _ register: UInt8, count: Int) throws -> [UInt8] {
    var answer = [UInt8](repeating: 0, count: count)
    var bytes = answer.mutableSpan
    try device.write(([register] as InlineArray).span, thenReadInto: &bytes)
    return answer
  }

  func write(_ device: any I2CDevice, _ register: UInt8, _ value: UInt8) throws {
    try device.write(([register, value] as InlineArray).span)
  }

  @Test("the virtual clock moves forwards only")
  func virtualClock() {
    clock.advance(by: .seconds(3))
    clock.advance(to: Instant(nanoseconds: 5))
    clock.advance(by: .seconds(-1))
    #expect(clock.now == .zero + .seconds(3))
    clock.advance(to: Instant(nanoseconds: 4_000_000_000))
    #expect(clock.now.milliseconds == 4_000)
  }

  @Test("an empty address does not acknowledge, until a chip is attached there")
  func emptyAddress() throws {
    let device = bus.device(at: 0x49)
    #expect(throws: BusError.noAcknowledge) { try write(device, 1, 0) }
    bus.attach(LM75Model(environment: environment, clock: clock), at: 0x49)
    try write(device, 1, 0)
    bus.target(at: 0x49).model = nil
    #expect(throws: BusError.noAcknowledge) { try write(device, 1, 0) }
  }

  @Test("chips at different addresses are apart, and one address has one device")
  func addresses() throws {
    let warm = Environment(temperature: Temperature(milliCelsius: 90_000))
    bus.attach(LM75Model(environment: environment, clock: clock), at: 0x48)
    bus.attach(LM75Model(environment: warm, clock: clock), at: 0x49)
    clock.advance(by: .milliseconds(300))
    #expect(try read(bus.device(at: 0x48), 0, count: 2)[0] == 20)
    #expect(try read(bus.device(at: 0x49), 0, count: 2)[0] == 90)
    #expect(bus.device(at: 0x48) === bus.target(at: 0x48))
  }

  @Test("a fault begins after so many good transfers, lasts so many, and ends when healed")
  func faultWindow() throws {
    let target = bus.attach(LM75Model(environment: environment, clock: clock), at: 0x48)
    func failures(_ count: Int) -> [Bool] {
      (0..<count).map { _ in (try? write(target, 1, 0)) == nil }
    }
    target.inject(.busy, after: 1, count: 2)
    #expect(failures(5) == [false, true, true, false, false])
    target.inject(.hang)
    #expect(failures(3) == [true, true, true])
    target.heal()
    #expect(failures(2) == [false, false])
    #expect(target.transfers == 10 && target.failures == 5)
    #expect(target.bytesOnWire == 5 * 3)
  }

  @Test("a flipped bit is counted from the highest of the first byte")
  func flippedBit() throws {
    let target = bus.attach(BMP280Model(environment: environment, clock: clock), at: 0x76)
    target.inject(.flippedBit(0), count: 1)
    #expect(try read(target, 0xD0, count: 1) == [0xD8])
    target.inject(.flippedBit(15), count: 1)
    #expect(try read(target, 0x88, count: 2) == [0x70, 0x6A])
    #expect(try read(target, 0x88, count: 2) == [0x70, 0x6B])
  }

  @Test("TMP105: continuous after power-up, zero until the first conversion, then ever fresh, in nine bits")
  func tmp105Continuous() throws {
    let device = bus.attach(TMP105Model(environment: environment, clock: clock), at: 0x48)
    #expect(try read(device, 0, count: 2) == [0, 0])
    clock.advance(by: .microseconds(27_500))
    #expect(try read(device, 0, count: 2) == [0x14, 0x00])
    environment.temperature.milliCelsius = -40_000
    clock.advance(by: .seconds(60))
    #expect(try read(device, 0, count: 2) == [0xD8, 0])
  }

  @Test("TMP105: each bit of resolution doubles the time, and limits read back")
  func tmp105Resolution() throws {
    let device = bus.attach(TMP105Model(environment: environment, clock: clock), at: 0x48)
    for (setting, low) in [(UInt8(0), UInt8(0x80)), (1, 0x40), (2, 0x40), (3, 0x50)] {
      environment.temperature.milliCelsius = 0
      try write(device, 1, 0x81)
      clock.advance(by: .seconds(1))
      environment.temperature.milliCelsius = setting == 0 ? 20_500 : 20_312
      try write(device, 1, 0x81 | setting << 5)
      clock.advance(by: .microseconds(27_500 << Int64(setting)) - .nanoseconds(1))
      #expect(try read(device, 0, count: 2)[0] != 20)
      clock.advance(by: .nanoseconds(1))
      #expect(try read(device, 0, count: 2) == [20, low])
      #expect(try read(device, 1, count: 1) == [0x01 | setting << 5])
    }
    try device.write(([3, 0x32, 0x1F] as InlineArray).span)
    #expect(try read(device, 3, count: 2) == [0x32, 0x10])
  }

  @Test("SHT3x: does not acknowledge while it measures nor without a measurement, and yields one once")
  func sht3xStates() throws {
    let device = bus.attach(SHT3xModel(environment: environment, clock: clock), at: 0x44)
    func fetch() throws -> [UInt8] {
      var answer = [UInt8](repeating: 0, count: 6)
      var bytes = answer.mutableSpan
      try device.read(into: &bytes)
      return answer
    }
    #expect(throws: BusError.noAcknowledge) { try fetch() }
    #expect(throws: BusError.noAcknowledge) { try write(device, 0x12, 0x34) }
    try write(device, 0x24, 0x16)
    #expect(throws: BusError.noAcknowledge) { try write(device, 0x24, 0x16) }
    clock.advance(by: .milliseconds(4))
    #expect(try fetch()[3...4] == [0x80, 0x00])
    #expect(throws: BusError.noAcknowledge) { try fetch() }
  }

  @Test("BMP280: results are 0x80000 until measured and when skipped, and each sample takes its time")
  func bmp280Samples() throws {
    let device = bus.attach(BMP280Model(environment: environment, clock: clock), at: 0x76)
    #expect(try read(device, 0xF7, count: 6) == [0x80, 0, 0, 0x80, 0, 0])
    try write(device, 0xF4, 0b0010_0001)
    clock.advance(by: .microseconds(3_549))
    #expect(try read(device, 0xF3, count: 1) == [0b1000])
    clock.advance(by: .microseconds(1))
    #expect(try read(device, 0xF3, count: 2) == [0, 0b0010_0000])
    let results = try read(device, 0xF7, count: 6)
    #expect(results[0...2] == [0x80, 0, 0])
    #expect(results[3] != 0x80 && results[5] == 0, "one sample has 16 bits")
  }

  @Test("DPS310: a flag is set by its conversion, cleared by reading, and more than 8 samples need the shift")
  func dps310Flags() throws {
    let device = bus.attach(DPS310Model(environment: environment, clock: clock), at: 0x77)
    func pressure(shifted: Bool) throws -> [UInt8] {
      try write(device, 0x06, 4)
      try write(device, 0x09, shifted ? 4 : 0)
      try write(device, 0x08, 1)
      #expect(try read(device, 0x08, count: 1) == [0xC1])
      clock.advance(by: .microseconds(27_600))
      #expect(try read(device, 0x08, count: 1) == [0xD0])
      let answer = try read(device, 0x00, count: 3)
      #expect(try read(device, 0x08, count: 1) == [0xC0])
      return answer
    }
    #expect(try pressure(shifted: true) != pressure(shifted: false))
  }
}
