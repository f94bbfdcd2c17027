import Drivers
import HAL
import Simulation
import Testing
import Units

extension LM75: ChipPromises {
  static let promises = Promises(
    sweep: { (Int64(-5_500)...12_500).map { Air((.temperature, $0 * 10)) } },
    within: [250], warmBytes: 9, warmTime: .zero)
}

@Suite struct LM75Tests {
  @Test(
    "LM75: the data format table of the datasheet, whatever the undefined bits are",
    arguments: [
      (0x0FA, 125_000), (0x032, 25_000), (0x001, 500), (0x000, 0), (0x1FF, -500), (0x1CE, -25_000),
      (0x192, -55_000),
    ] as [(UInt16, Int32)])
  func table(bits: UInt16, milliCelsius: Int32) throws {
    for undefined in UInt16(0)...0x7F {
      var sensor = LM75(FixedAnswer(bits << 7 | undefined))
      _ = try sensor.start()
      #expect(try sensor.collect().temperature.milliCelsius == milliCelsius)
    }
  }

  @Test("LM75: what has been the same ten thousand times has it set up anew, and is estimated if it stays so")
  func stuck() throws {
    let answer = FixedAnswer(0x1900)
    var sensor = LM75(answer)
    for count in 1...10_001 {
      #expect(try (sensor.start() > .zero) == [1, 10_001].contains(count), "reading \(count)")
      #expect(try sensor.collect().quality == (count < 10_000 ? .good : .estimated), "reading \(count)")
    }
    answer.word = 0x1980
    _ = try sensor.start()
    #expect(try sensor.collect().quality == .good)
  }

  @Test("LM75: all 65536 words: it yields a value of its range, or says that it is implausible")
  func everyWord() throws {
    let answer = FixedAnswer(0)
    var sensor = LM75(answer)
    var implausible = 0
    for word in UInt16.min...UInt16.max {
      answer.word = word
      _ = try sensor.start()
      do throws(SensorError) {
        let value = try sensor.collect().temperature.milliCelsius
        #expect(value >= -55_000 && value <= 125_000)
      } catch {
        #expect(error == .implausible)
        implausible += 1
      }
    }
    #expect(implausible == 65_536 - (125 + 55) * 2 * 128 - 128)
  }
}
