import HAL
import Testing
import Units

@testable import Drivers
@testable import Simulation

extension BMP280: ChipPromises {
  static let promises = Promises(
    sweep: { Air.barometerSweep(upTo: 1_100) },
    // 0.16 Pa, and what the 2.5 mK steps of the temperature add to it
    within: [10, 5], hasReadyFlag: true,
    otherPrograms: [
      [[0xF5, 0x1C], [0xF4, 0xFF]], [[0xF4, 0x27, 0xF5, 0xE0]], [[0xF4, 0x57], [0xE0, 0xB6]],
    ],
    warmBytes: 16, warmTime: .milliseconds(44))
}

@Suite struct BMP280Tests {
  let clock = VirtualClock()
  let environment = Environment((.temperature, 20_312))
  let bus = SimulatedI2CBus()

  @Test("BMP280: the worked example of the datasheet gives 25.08 °C and 100653.27 Pa")
  func example() throws {
    let calibration = BMP280.Calibration([
      0x70, 0x6B, 0x43, 0x67, 0x18, 0xFC, 0x7D, 0x8E, 0x43, 0xD6, 0xD0, 0x0B, 0x27, 0x0B, 0x8C, 0x00, 0xF9,
      0xFF, 0x8C, 0x3C, 0xF8, 0xC6, 0x70, 0x17,
    ])
    #expect(calibration.t1 == 27_504 && calibration.t3 == -1_000)
    #expect(calibration.p1 == 36_477 && calibration.p9 == 6_000)
    #expect(calibration.fineTemperature(519_888) == 128_422)
    let measurement = try calibration.measurement(rawTemperature: 519_888, rawPressure: 415_148)
    #expect(measurement.temperature == Temperature(milliCelsius: 25_082))
    // The printed value is of the floating-point formula; the fine temperature cut to an integer costs 0.016 Pa.
    #expect(abs(Double(measurement.pressure.milliPascals) / 1_000 - 100_653.27) < 0.02)
  }

  @Test("BMP280: any calibration with any raw values is a value of the range or implausible")
  func anyCalibration() {
    var random = Xorshift(seed: 2)
    for _ in 0..<50_000 {
      let calibration = BMP280.Calibration(random.bytes())
      let raw = random.bytes() as InlineArray<6, UInt8>
      let (temperature, pressure) = (raw.bigEndian24(at: 0) >> 4, raw.bigEndian24(at: 3) >> 4)
      if let measurement = try? calibration.measurement(rawTemperature: temperature, rawPressure: pressure) {
        #expect((29_000_000...111_000_000).contains(measurement.pressure.milliPascals))
      }
      // The pressure formula itself, over all temperatures that get as far
      for fine in [Int64(-209_920), 0, 128_000, 440_320] {
        _ = try? calibration.pressure(Int64(pressure), fine: fine)
        _ = try? calibration.pressure(0, fine: fine)
        _ = try? calibration.pressure(0xFFFFF, fine: fine)
      }
    }
  }

  @Test("BMP280: raw values over the whole register, with a real calibration")
  func everyRawValue() {
    let calibration = BMP280.Calibration([
      0x70, 0x6B, 0x43, 0x67, 0x18, 0xFC, 0x7D, 0x8E, 0x43, 0xD6, 0xD0, 0x0B, 0x27, 0x0B, 0x8C, 0x00, 0xF9,
      0xFF, 0x8C, 0x3C, 0xF8, 0xC6, 0x70, 0x17,
    ])
    for temperature in UInt32(0)...0xFFFFF where temperature % 64 == 0 {
      for pressure in [UInt32(0), 1, 415_148, 0x7FFFF, 0x80000, 0xFFFFF] {
        _ = try? calibration.measurement(rawTemperature: temperature, rawPressure: pressure)
      }
    }
  }

  @Test(
    "BMP280: after a supply that sagged, which leaves the pressure too low or everything frozen, the first reading is right",
    arguments: [BMP280Model.BrownOut.low, .frozen])
  func sag(_ left: BMP280Model.BrownOut) throws {
    let model = BMP280Model(environment: environment, clock: clock)
    let device = bus.attach(model, at: 0x76)
    environment.set(.pressure, thousandths: 985_000)
    try device.write(0xF4, 0x55)
    clock.advance(by: .seconds(1))
    model.sag(left)
    environment.set(.pressure, thousandths: 1_005_000)
    let measurement = try read(BMP280(device))
    #expect(abs(measurement.pressure.milliPascals - 100_500_000) < 5_000)
  }

  @Test("BMP280: a supply that sagged while it was read is put right by the reset after an implausible value")
  func sagMeanwhile() throws {
    let model = BMP280Model(environment: environment, clock: clock)
    var sensor = BMP280(bus.attach(model, at: 0x76))
    environment.set(.pressure, thousandths: 400_000)
    _ = try read(&sensor)
    model.sag(.low)  // 276 hPa: beyond what the chip can measure
    #expect(throws: SensorError.implausible) { try read(&sensor) }
    #expect(abs(try read(&sensor).pressure.milliPascals - 40_000_000) < 5_000)
  }

  @Test("BMP280: results that freeze are right again after sixteen that were the same, and ever after")
  func freeze() throws {
    let model = BMP280Model(environment: environment, clock: clock)
    var sensor = BMP280(bus.attach(model, at: 0x76))
    environment.set(.pressure, thousandths: 985_000)
    #expect(abs(try read(&sensor).pressure.milliPascals - 98_500_000) < 5_000)
    model.sag(.frozen)
    for count in 1...40 {
      environment.set(.pressure, thousandths: 985_000 + Int64(count) * 500)
      let off = abs(Int64(try read(&sensor).pressure.milliPascals) - 98_500_000 - Int64(count) * 50_000)
      #expect(count < 16 ? off > 40_000 : off < 5_000, "reading \(count)")
    }
  }

  @Test("BMP280: a pressure that freezes alone is right again after sixteen that were the same")
  func freezeAlone() throws {
    let model = BMP280Model(environment: environment, clock: clock)
    var sensor = BMP280(bus.attach(model, at: 0x76))
    environment.set(.pressure, thousandths: 985_000)
    _ = try read(&sensor)
    model.sag(.frozenPressure)
    for count in 1...40 {
      environment.set(.temperature, thousandths: 20_312 + Int64(count) * 50)
      environment.set(.pressure, thousandths: 985_000 + Int64(count) * 500)
      let measurement = try read(&sensor)
      let off = abs(Int64(measurement.pressure.milliPascals) - 98_500_000 - Int64(count) * 50_000)
      #expect(count < 16 ? off > 30_000 : off < 5_000, "reading \(count)")
      #expect(measurement.pressureQuality == (count == 15 ? .estimated : .good))
      #expect(measurement.temperatureQuality == .good)
    }
  }

  @Test("BMP280: a pressure that stays the same through resets is not passed off as measured")
  func broken() throws {
    let model = BMP280Model(environment: environment, clock: clock)
    var sensor = BMP280(bus.attach(model, at: 0x76))
    environment.set(.pressure, thousandths: 985_000)
    _ = try read(&sensor)
    model.sag(.brokenPressure)
    for count in 1...100 {
      environment.set(.temperature, thousandths: 20_312 + Int64(count) * 50)
      let measurement = try read(&sensor)
      #expect(measurement.pressureQuality == (count < 15 ? .good : .estimated), "reading \(count)")
      #expect(measurement.temperatureQuality == .good)
    }
    var qualities: [Quality] = []
    try read(&sensor).forEachReading { qualities.append($0.quality) }
    #expect(qualities == [.good, .estimated])
  }

  @Test("BMP280: air in which nothing changes, if there were such, would be read like any other")
  func constantAir() throws {
    var sensor = BMP280(bus.attach(BMP280Model(environment: environment, clock: clock), at: 0x76))
    environment.set(.pressure, thousandths: 985_000)
    for _ in 0..<100 { #expect(abs(try read(&sensor).pressure.milliPascals - 98_500_000) < 5_000) }
  }

  private func read(_ sensor: BMP280) throws(SensorError) -> BarometerMeasurement {
    var sensor = sensor
    return try read(&sensor)
  }

  private func read(_ sensor: inout BMP280) throws(SensorError) -> BarometerMeasurement {
    clock.advance(by: try sensor.start())
    while let wait = try sensor.advance() { clock.advance(by: wait) }
    return try sensor.collect()
  }

  @Test(
    "BMP280: a chip of the first ones, with another identity, is read like any other",
    arguments: [UInt8(0x56), 0x57])
  func early(identity: UInt8) throws {
    let device = bus.attach(
      BMP280Model(environment: environment, clock: clock, identity: identity), at: 0x76)
    #expect(abs(try read(BMP280(device)).temperature.milliCelsius - 20_312) <= 10)
  }

  @Test("BMP280: a reset takes its time, in which the calibration reads as nothing and the status says so")
  func reset() throws {
    let device = bus.attach(BMP280Model(environment: environment, clock: clock), at: 0x76)
    try device.write(0xF4, 0x57)
    try device.write(0xE0, 0xB6)
    #expect(try device.read(0xF3, count: 3) == [1, 0, 0])
    #expect(try device.read(0x88, count: 2) == [0, 0])
    clock.advance(by: .milliseconds(2))
    #expect(try device.read(0xF3, count: 1) == [0])
    #expect(try device.read(0x88, count: 2) == [0x70, 0x6B])
  }

  @Test("BMP280: calibration of zeros or ones is implausible")
  func deadBus() {
    for byte in [UInt8(0), 0xFF] { #expect(!BMP280.Calibration(InlineArray(repeating: byte)).isPlausible) }
  }

  @Test("BMP280: results are 0x80000 until measured and when skipped, and each sample takes its time")
  func samples() throws {
    let device = bus.attach(BMP280Model(environment: environment, clock: clock), at: 0x76)
    #expect(try device.read(0xF7, count: 6) == [0x80, 0, 0, 0x80, 0, 0])
    try device.write(0xF4, 0b0010_0001)
    clock.advance(by: .microseconds(3_549))
    #expect(try device.read(0xF3, count: 1) == [0b1000])
    clock.advance(by: .microseconds(1))
    #expect(try device.read(0xF3, count: 2) == [0, 0b0010_0000])
    let results = try device.read(0xF7, count: 6)
    #expect(results[0...2] == [0x80, 0, 0])
    #expect(results[3] != 0x80 && results[5] == 0, "one sample has 16 bits")
  }
}
