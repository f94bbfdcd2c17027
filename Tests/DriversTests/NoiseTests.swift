import HAL
import Testing
import Units

@testable import Drivers

/// Whatever comes over the wire, a driver answers with a value or an error: Swift traps on overflow, so a
/// trap here would be a device that dies of a loose plug.
@Suite struct NoiseTests {
  /// Fills with bytes of which many are extreme.
  static func noise<let count: Int>(_ random: inout Xorshift) -> InlineArray<count, UInt8> {
    var bytes = InlineArray<count, UInt8>(repeating: 0)
    for index in 0..<count { bytes[index] = random.byte() }
    return bytes
  }

  /// Runs readings on noise; how many went well.
  func readings<S: Sensor>(_ type: S.Type, _ device: NoisyDevice, rounds: Int) -> Int {
    var sensor = S(device)
    var successes = 0
    for _ in 0..<rounds {
      do throws(SensorError) {
        _ = try sensor.start()
        while try sensor.advance() != nil {}
        _ = try sensor.collect()
        successes += 1
      } catch {
        continue
      }
    }
    return successes
  }

  @Test("200,000 readings of noise crash no driver")
  func noisyBus() {
    let device = NoisyDevice(seed: 1)
    #expect(readings(TMP105.self, device, rounds: 40_000) > 0)
    #expect(readings(LM75.self, device, rounds: 40_000) > 0)
    #expect(readings(SHT3x.self, device, rounds: 40_000) > 0)
    _ = readings(BMP280.self, device, rounds: 40_000)
    _ = readings(DPS310.self, device, rounds: 40_000)
  }

  @Test("BMP280: any calibration with any raw values is a value of the range or implausible")
  func bmp280() {
    var random = Xorshift(seed: 2)
    for _ in 0..<50_000 {
      let calibration = BMP280.Calibration(Self.noise(&random))
      let raw = Self.noise(&random) as InlineArray<6, UInt8>
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
  func bmp280Raw() {
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

  @Test("DPS310: any calibration with any raw values is a value of the range or implausible")
  func dps310() {
    var random = Xorshift(seed: 3)
    var values = 0
    for round in 0..<50_000 {
      var bytes: InlineArray<18, UInt8> = Self.noise(&random)
      if round % 2 == 0 {  // a temperature in range, so that the pressure is worked out too
        bytes[0] = 0x0D
        bytes[1] = 0xEE
        bytes[2] = 0xD7
      }
      let calibration = DPS310.Calibration(bytes)
      let raw = Self.noise(&random) as InlineArray<6, UInt8>
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

  @Test("calibration of zeros or ones is implausible")
  func deadBus() {
    for byte in [UInt8(0), 0xFF] {
      #expect(!BMP280.Calibration(InlineArray(repeating: byte)).isPlausible)
      #expect(!DPS310.Calibration(InlineArray(repeating: byte)).isPlausible)
    }
  }
}

/// A small generator of repeatable noise.
struct Xorshift {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  /// Half of the time one of the extremes.
  mutating func byte() -> UInt8 {
    let bits = next()
    switch bits >> 32 & 7 {
    case 0: return 0x00
    case 1: return 0xFF
    case 2: return 0x7F
    case 3: return 0x80
    default: return UInt8(truncatingIfNeeded: bits >> 16)
    }
  }
}

/// A device that answers with noise and now and then with an error. It knows the identities, and keeps its
/// registers for the second of two equal reads, so that drivers get further than their first doubts.
final class NoisyDevice: I2CDevice {
  private var random: Xorshift
  private var lastWritten: UInt8 = 0
  private var lastRegister: UInt8 = 0
  private var lastAnswer = InlineArray<32, UInt8>(repeating: 0)

  init(seed: UInt64) {
    random = Xorshift(seed: seed)
  }

  private func maybeFail() throws(BusError) {
    switch random.next() % 64 {
    case 0: throw .noAcknowledge
    case 1: throw .shortTransfer
    case 2: throw .timeout
    default: break
    }
  }

  func write(_ bytes: Span<UInt8>) throws(BusError) {
    try maybeFail()
    lastWritten = bytes[1]
  }

  func read(into bytes: inout MutableSpan<UInt8>) throws(BusError) {
    try maybeFail()
    for index in 0..<bytes.count { bytes[index] = random.byte() }
    guard bytes.count == 6, random.next() % 2 == 0 else { return }
    for index in [0, 3] {  // checksums that match
      bytes[index + 2] = SHT3x.crc(of: UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1]))
    }
  }

  func write(_ bytes: Span<UInt8>, thenReadInto answer: inout MutableSpan<UInt8>) throws(BusError) {
    try read(into: &answer)
    let isSecond = bytes[0] == lastRegister && random.next() % 8 != 0
    for index in 0..<answer.count where isSecond { answer[index] = lastAnswer[index] }
    switch (bytes[0], answer.count) {
    case (0x01, 1) where random.next() % 8 != 0: answer[0] = lastWritten
    case (0xD0, 1): answer[0] = 0x58
    case (0x00, 14):
      answer[13] = 0x10
      answer[8] |= 0xC0
    case (0xF3, 10):
      answer[0] = 0
      answer[1] = 0b0101_0100
    default: break
    }
    lastRegister = bytes[0]
    for index in 0..<answer.count { lastAnswer[index] = answer[index] }
  }
}
