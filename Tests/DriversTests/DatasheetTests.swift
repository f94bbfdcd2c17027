import HAL
import Testing
import Units

@testable import Drivers
@testable import Simulation

/// Numbers printed in the datasheets, or worked out from their formulas with exact fractions.
@Suite struct DatasheetTests {
  @Test("BMP280: the worked example of the datasheet gives 25.08 °C and 100653.27 Pa")
  func bmp280Example() throws {
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

  @Test("DPS310: coefficients unpack, and values agree with the formula in exact fractions")
  func dps310Formula() throws {
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

  @Test("SHT3x: the checksum of BEEF is 92, in the driver and in the model, which agree on all words")
  func sht3xChecksum() {
    #expect(SHT3x.crc(of: 0xBEEF) == 0x92)
    #expect(SHT3xModel.checksum(0xBEEF) == 0x92)
    for word in UInt16.min...UInt16.max { #expect(SHT3x.crc(of: word) == SHT3xModel.checksum(word)) }
  }

  @Test(
    "TMP105: the data format table of the datasheet",
    arguments: [
      (0x7FF0, 127_938), (0x6400, 100_000), (0x5000, 80_000), (0x4B00, 75_000), (0x3200, 50_000),
      (0x1900, 25_000), (0x0040, 250), (0x0000, 0), (0xFFC0, -250), (0xE700, -25_000), (0xC900, -55_000),
    ] as [(UInt16, Int32)])
  func tmp105Table(word: UInt16, milliCelsius: Int32) throws {
    var sensor = TMP105(FixedAnswer(word))
    _ = try sensor.start()
    #expect(try sensor.collect().temperature.milliCelsius == milliCelsius)
  }

  @Test(
    "LM75: the data format table of the datasheet, whatever the undefined bits are",
    arguments: [
      (0x0FA, 125_000), (0x032, 25_000), (0x001, 500), (0x000, 0), (0x1FF, -500), (0x1CE, -25_000),
      (0x192, -55_000),
    ] as [(UInt16, Int32)])
  func lm75Table(bits: UInt16, milliCelsius: Int32) throws {
    for undefined in UInt16(0)...0x7F {
      var sensor = LM75(FixedAnswer(bits << 7 | undefined))
      _ = try sensor.start()
      #expect(try sensor.collect().temperature.milliCelsius == milliCelsius)
    }
  }

  @Test("all 65536 words: a thermometer yields a value of its range, or says that it is implausible")
  func everyWord() throws {
    let answers = (FixedAnswer(0), FixedAnswer(0))
    var tmp105 = TMP105(answers.0)
    var lm75 = LM75(answers.1)
    var implausible = (0, 0)
    for word in UInt16.min...UInt16.max {
      answers.0.word = word
      answers.1.word = word
      _ = try tmp105.start()
      _ = try lm75.start()
      do throws(SensorError) {
        let value = try tmp105.collect().temperature.milliCelsius
        #expect(value >= -55_000 && value <= 127_938)
      } catch {
        #expect(error == .implausible)
        implausible.0 += 1
      }
      do throws(SensorError) {
        let value = try lm75.collect().temperature.milliCelsius
        #expect(value >= -55_000 && value <= 125_000)
      } catch {
        #expect(error == .implausible)
        implausible.1 += 1
      }
    }
    #expect(implausible == (65_536 - (55 * 16 + 2_048), 65_536 - (125 + 55) * 2 * 128 - 128))
  }
}

/// A thermometer of the LM75's shape: one word in register 0, what was written last in register 1.
private final class FixedAnswer: I2CDevice {
  var word: UInt16
  private var configuration: UInt8 = 0

  init(_ word: UInt16) {
    self.word = word
  }

  func write(_ bytes: Span<UInt8>) throws(BusError) { configuration = bytes[1] }

  func read(into bytes: inout MutableSpan<UInt8>) throws(BusError) { throw .noAcknowledge }

  func write(_ bytes: Span<UInt8>, thenReadInto answer: inout MutableSpan<UInt8>) throws(BusError) {
    if bytes[0] == 1 {
      answer[0] = configuration
    } else {
      answer[0] = UInt8(word >> 8)
      answer[1] = UInt8(word & 0xFF)
    }
  }
}
