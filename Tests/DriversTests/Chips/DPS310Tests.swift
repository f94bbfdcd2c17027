import HAL
import Testing
import Units

@testable import Drivers
@testable import Simulation

extension DPS310: ChipPromises {
  static let promises = Promises(
    sweep: { Air.barometerSweep(upTo: 1_200) },
    within: [10, 3], hasReadyFlag: true, warmBytes: 26, warmTime: .milliseconds(37))
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
