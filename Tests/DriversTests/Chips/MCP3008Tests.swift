import Drivers
import HAL
import Simulation
import Testing
import Units

extension MCP3008: ChipPromises {
  /// Every millivolt at every input, another at each.
  static let promises = Promises(
    sweep: {
      (Int64(0)...3_296).map { millivolts in
        var air = Air()
        for (index, key) in MCP3008Tests.inputs.enumerated() {
          air[.voltage, key] = (millivolts + Int64(index) * 411) % 3_297
        }
        return air
      }
    },
    within: [Double](repeating: 3.3, count: 8), absentIs: .implausible, convertsInCollect: true,
    warmBytes: 40, warmTime: .zero)
}

@Suite struct MCP3008Tests {
  static let inputs: [StaticString] = ["ch0", "ch1", "ch2", "ch3", "ch4", "ch5", "ch6", "ch7"]

  func volts(_ millivolts: Int64, reference: Int32 = 3_300_000) throws -> Int32 {
    var sensor = MCP3008(
      SimulatedSPIDevice(MCP3008Model(environment: Environment((.voltage, millivolts)))),
      reference: Voltage(microvolts: reference))
    _ = try sensor.start()
    return try sensor.collect().inputs[5].microvolts
  }

  @Test("MCP3008: a code is 1/1024 of the reference (equation 4-2), and the highest is one step below it")
  func equation() throws {
    #expect(try volts(0) == 0)
    #expect(try volts(1_650) == 1_650_000)
    #expect(try volts(9_999) == 3_296_777)
    #expect(try volts(1_650, reference: 5_000_000) == 2_500_000, "half of whatever the reference is")
  }

  @Test("MCP3008: the frame of figure 6-1 with the configuration bits of table 5-2, for each input")
  func frames() throws {
    let recorder = Recorder()
    var sensor = MCP3008(recorder)
    _ = try sensor.start()
    _ = try sensor.collect()
    #expect(recorder.frames == (0..<8).map { [0x01, 0x80 | $0 << 4, 0, 0, 0] })
  }

  @Test("MCP3008: pairs subtract, leading zeros are ignored, and the result follows the null bit both ways")
  func model() throws {
    let environment = Environment((.voltage, 0))
    environment.set(.voltage, "ch2", thousandths: 2_062)  // 639: 10 0111 1111
    environment.set(.voltage, "ch3", thousandths: 1_650)
    let device = SimulatedSPIDevice(MCP3008Model(environment: environment))
    func transfer(_ bytes: [UInt8]) throws -> [UInt8] {
      var answer = [UInt8](repeating: 0, count: bytes.count)
      var span = answer.mutableSpan
      try device.transfer(bytes.span, into: &span)
      return answer
    }
    #expect(try transfer([1, 0xA0, 0, 0, 0]) == [0xFF, 0b1111_1010, 0b0111_1111, 0b1111_1100, 0b1000_0000])
    #expect(try transfer([0, 1, 0xA0, 0, 0, 0])[3] == 0b0111_1111)
    #expect(try transfer([1, 0x20, 0])[1...] == [0b1111_1000, 127], "2062 mV - 1650 mV")
    #expect(try transfer([1, 0x30, 0])[1...] == [0b1111_1000, 0])
    #expect(try transfer([0, 0, 0]) == [0xFF, 0xFF, 0xFF], "no start bit, no answer")
  }

  @Test(
    "MCP3008: a wrong bit in a result but for its lowest, its repetition, the null bit or the zeros is found")
  func damage() throws {
    let device = SimulatedSPIDevice(MCP3008Model(environment: Environment((.voltage, 1_234))))
    var sensor = MCP3008(device)
    for transfer in 0..<8 {
      for bit in 0..<40 {
        device.inject(.flippedBit(bit), after: transfer, count: 1)
        _ = try sensor.start()
        let isFound = isFaulty(&sensor)
        // What comes before the null bit means nothing, and B0 is sent once.
        #expect(isFound == (bit >= 13 && bit != 23), "bit \(bit)")
      }
    }
  }

  private func isFaulty(_ sensor: inout MCP3008) -> Bool {
    do throws(SensorError) {
      _ = try sensor.collect()
      return false
    } catch {
      return error == .checksum || error == .implausible
    }
  }

  /// A chip at 0 V that writes down what it is sent.
  private final class Recorder: SPIDevice {
    var frames: [[UInt8]] = []
    func transfer(_ bytes: Span<UInt8>, into answer: inout MutableSpan<UInt8>) throws(BusError) {
      frames.append(bytes.indices.map { bytes[$0] })
      for index in 0..<answer.count { answer[index] = 0 }
    }
  }
}
