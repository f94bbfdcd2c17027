import HAL
import Testing
import Units

@testable import Drivers
@testable import Simulation

extension DPS310: ChipPromises {
  static let promises = Promises(
    sweep: { Air.barometerSweep(upTo: 1_200) },
    within: [10, 3], hasReadyFlag: true,
    otherPrograms: [
      [[0x06, 0x26], [0x07, 0xA6], [0x09, 0xFE], [0x08, 0x07]], [[0x08, 0x05]], [[0x08, 0x06]],
      [[0x0E, 0xA5], [0x0F, 0x96]], [[0x0C, 0x89]], [[0x09, 0x02]],
    ],
    warmBytes: 26, warmTime: .milliseconds(37))
}

@Suite struct DPS310Tests {
  let clock = VirtualClock()
  let environment = Environment((.temperature, 20_312))
  let bus = SimulatedI2CBus()

  @Test("DPS310: coefficients unpack, and values agree with the formula in exact fractions")
  func formula() throws {
    let calibration = DPS310.Calibration([
      0x0D, 0xEE, 0xD7, 0x13, 0x7D, 0x8F, 0x24, 0x0C, 0xF7, 0x09, 0x05, 0xA4, 0xDA, 0x1B, 0x00, 0x6F, 0xFA,
      0xF7,
    ])
    #expect(calibration.c0 == 222 && calibration.c1 == -297)
    #expect(calibration.c00 == 79_832 && calibration.c10 == -56_308)
    #expect(calibration.c01 == -2_295 && calibration.c11 == 1_444)
    #expect(calibration.c20 == -9_701 && calibration.c21 == 111 && calibration.c30 == -1_289)
    let vectors: [(pressure: Int64, temperature: Int64, celsius: Double, pascals: Double)] = [
      (-95_000, 150_585, 25.696226, 98_796.120),
      (180_000, 260_000, -36.285461, 33_985.558),
      (-203_000, 46_000, 84.941803, 119_005.786),
    ]
    for vector in vectors {
      let measurement = try calibration.measurement(
        rawTemperature: vector.temperature, rawPressure: vector.pressure)
      #expect(abs(Double(measurement.temperature.milliCelsius) / 1_000 - vector.celsius) < 0.000_6)
      #expect(abs(Double(measurement.pressure.milliPascals) / 1_000 - vector.pascals) < 0.03)
    }
  }

  @Test("DPS310: any calibration with any raw values is a value of the range or implausible")
  func anyCalibration() {
    var random = Xorshift(seed: 3)
    var values = 0
    for round in 0..<50_000 {
      var bytes: InlineArray<18, UInt8> = random.bytes()
      if round % 2 == 0 {  // a temperature in range, so that the pressure is worked out too
        bytes[0] = 0x0D
        bytes[1] = 0xEE
        bytes[2] = 0xD7
      }
      let calibration = DPS310.Calibration(bytes)
      let raw = random.bytes() as InlineArray<6, UInt8>
      let rawTemperature = round % 2 == 0 ? 150_585 : signed(raw.bigEndian24(at: 0), bits: 24)
      for pressure in [signed(raw.bigEndian24(at: 3), bits: 24), -507_904, 507_904, 0, 8_388_607, -8_388_608]
      {
        guard
          let measurement = try? calibration.measurement(
            rawTemperature: rawTemperature, rawPressure: pressure)
        else { continue }
        values += 1
        #expect((29_000_000...121_000_000).contains(measurement.pressure.milliPascals))
      }
    }
    #expect(values > 0)
  }

  @Test(
    "DPS310: a chip whose temperature fuse is not blown is cured at start and after an error, and no other changed"
  )
  func fuse() throws {
    environment.set(.temperature, thousandths: 22_000)
    for isFuseBlown in [false, true] {
      let target = bus.attach(
        DPS310Model(environment: environment, clock: clock, isFuseBlown: isFuseBlown), at: 0x77)
      var sensor = DPS310(target)
      for _ in 0..<3 {
        for _ in 0..<2 {
          clock.advance(by: try sensor.start())
          while let wait = try sensor.advance() { clock.advance(by: wait) }
          #expect(abs(try sensor.collect().temperature.milliCelsius - 22_000) <= 10)
        }
        target.inject(.busy, count: 1)
        #expect(throws: SensorError.bus(.busy)) { try sensor.start() }
        try target.write(0x0C, 0x09)
        clock.advance(by: .milliseconds(40))
      }
    }
  }

  @Test("DPS310: without the cure the model with the fault shows some 60 °C in a room, until its gain is set")
  func fault() throws {
    environment.set(.temperature, thousandths: 22_000)
    let device = bus.attach(
      DPS310Model(environment: environment, clock: clock, isFuseBlown: false), at: 0x77)
    func celsius() throws -> Double {
      try device.write(0x07, 0x80)
      try device.write(0x08, 2)
      clock.advance(by: .microseconds(3_600))
      let raw = try device.read(0x03, count: 3)
      let number = Int32(bitPattern: UInt32(raw[0]) << 24 | UInt32(raw[1]) << 16 | UInt32(raw[2]) << 8) >> 8
      return 107 - 288 * Double(number) / 524_288
    }
    #expect(abs(try celsius() - 64.5) < 0.01)
    #expect(try device.read(0x32, count: 1)[0] & 0b10 == 0)
    try device.write(0x62, 0x02)
    #expect(abs(try celsius() - 64.5) < 0.01, "locked")
    for (register, value) in [(0x0E, 0xA5), (0x0F, 0x96), (0x62, 0x02), (0x0E, 0), (0x0F, 0)] {
      try device.write(UInt8(register), UInt8(value))
    }
    #expect(abs(try celsius() - 22) < 0.01)
    #expect(try device.read(0x32, count: 1)[0] & 0b10 != 0)
    try device.write(0x0C, 0x09)
    #expect(abs(try celsius() - 64.5) < 0.01, "a reset undoes it")
  }

  @Test(
    "DPS310: in the background it measures again and again, and obeys no command before it is stopped or reset"
  )
  func background() throws {
    let device = bus.attach(DPS310Model(environment: environment, clock: clock), at: 0x77)
    try device.write(0x08, 7)
    clock.advance(by: .seconds(1))
    #expect(try device.read(0x08, count: 1) == [0xF7])
    try device.write(0x08, 1)
    #expect(try device.read(0x08, count: 1) == [0xF7])
    try device.write(0x0C, 0x89)
    #expect(try device.read(0x08, count: 1) == [0x00])
    clock.advance(by: .milliseconds(40))
    #expect(try device.read(0x08, count: 1) == [0xC0])
  }

  @Test("DPS310: a program that sets it otherwise meanwhile costs one reading and falsifies none")
  func setMeanwhile() throws {
    for register in [UInt8(0x06), 0x07, 0x09] {
      for value in [UInt8(0x00), 0x22] {
        let bench = try Chip.named("DPS310").makeBench(Environment(), nil)
        bench.set(Air((.temperature, 21_500), (.pressure, 995_000)))
        let right = try bench.read()
        try #require(bench.target as? SimulatedI2CTarget).write(register, value)
        #expect(bench.failure() != nil, "\(value) in register \(register)")
        #expect(try bench.read() == right)
      }
    }
  }

  @Test("DPS310: results that stay the same are not passed off as measured, and are right once they change")
  func stuck() throws {
    let clock = VirtualClock()
    let environment = Environment((.temperature, 20_312), (.pressure, 985_000))
    let bus = SimulatedI2CBus()
    var sensor = DPS310(bus.attach(DPS310Model(environment: environment, clock: clock), at: 0x77))
    for count in 1...100 {
      if count == 90 { environment.set(.pressure, thousandths: 990_000) }
      clock.advance(by: try sensor.start())
      while let wait = try sensor.advance() { clock.advance(by: wait) }
      let measurement = try sensor.collect()
      let isSame = count >= 16 && count < 90
      #expect(measurement.pressureQuality == (isSame ? .estimated : .good), "reading \(count)")
      #expect(measurement.temperatureQuality == (count < 64 ? .good : .estimated), "reading \(count)")
    }
  }

  @Test("DPS310: calibration of zeros or ones is implausible")
  func deadBus() {
    for byte in [UInt8(0), 0xFF] { #expect(!DPS310.Calibration(InlineArray(repeating: byte)).isPlausible) }
  }

  @Test("DPS310: a flag is set by its conversion, cleared by reading, and more than 8 samples need the shift")
  func flags() throws {
    let device = bus.attach(DPS310Model(environment: environment, clock: clock), at: 0x77)
    func pressure(shifted: Bool) throws -> [UInt8] {
      try device.write(0x06, 4)
      try device.write(0x09, shifted ? 4 : 0)
      try device.write(0x08, 1)
      #expect(try device.read(0x08, count: 1) == [0xC1])
      clock.advance(by: .microseconds(27_600))
      #expect(try device.read(0x08, count: 1) == [0xD0])
      let answer = try device.read(0x00, count: 3)
      #expect(try device.read(0x08, count: 1) == [0xC0])
      return answer
    }
    #expect(try pressure(shifted: true) != pressure(shifted: false))
  }
}
