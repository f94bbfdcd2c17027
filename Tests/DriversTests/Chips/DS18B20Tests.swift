import Drivers
import HAL
import Simulation
import Testing
import Units

extension DS18B20: ChipPromises {
  static let promises = Promises(
    sweep: { (-55 * 16...125 * 16).map { Air((.temperature, Air.nearest($0, step: 62.5))) } },
    within: [32], hasChecksum: true, convertsInCollect: true, warmBytes: 75, warmTime: .zero)
}

@Suite struct DS18B20Tests {
  /// What the driver makes of a page of the kernel.
  func read(_ text: String) throws(SensorError) -> Int32 {
    var sensor = DS18B20(FixedPage(text))
    _ = try sensor.start()
    return try sensor.collect().temperature.milliCelsius
  }

  /// The kernel's page for these bytes, with their checksum worked out bit by bit from the datasheet's figure.
  func page(_ bytes: [UInt8]) -> String {
    var shift = [Bool](repeating: false, count: 8)  // x⁷ … x⁰
    for bit in 0..<64 {
      let feedback = shift[7] != (bytes[bit / 8] >> UInt8(bit % 8) & 1 == 1)
      shift = [feedback] + shift[0...2] + [shift[3] != feedback, shift[4] != feedback] + shift[5...6]
    }
    let crc = shift.reduce(0) { $0 << 1 | ($1 ? 1 : 0) } as UInt8
    let line = (bytes + [crc]).map { hex($0) + " " }.joined()
    return "\(line): crc=\(hex(crc)) YES\n\(line)t=0\n"
  }

  func hex(_ byte: UInt8) -> String { String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }

  @Test(
    "DS18B20: the data format table of the datasheet",
    arguments: [
      (0x07D0, 125_000), (0x0550, 85_000), (0x0191, 25_063), (0x00A2, 10_125), (0x0008, 500), (0x0000, 0),
      (0xFFF8, -500), (0xFF5E, -10_125), (0xFE6F, -25_063), (0xFC90, -55_000),
    ] as [(UInt16, Int32)])
  func table(word: UInt16, milliCelsius: Int32) throws {
    let low = UInt8(word & 0xFF)
    let memory = [low, UInt8(word >> 8), 0x4B, 0x46, 0x7F, 0xFF, 0x10 - low & 0x0F, 0x10]
    #expect(try read(page(memory)) == milliCelsius)
  }

  @Test("DS18B20: pages as kernels have written them, from a chip and from one whose reserved bytes are ones")
  func pages() throws {
    #expect(
      try read("3f 00 4b 46 7f ff 01 10 47 : crc=47 YES\n3f 00 4b 46 7f ff 01 10 47 t=3937\n") == 3_938)
    #expect(
      try read("5e 01 ff ff 7f ff ff ff 52 : crc=52 YES\n5e 01 ff ff 7f ff ff ff 52 t=21875\n") == 21_875)
  }

  @Test("DS18B20: 85 °C with the memory of power-up is no measurement")
  func powerUp() throws {
    #expect(throws: SensorError.notReady) {
      try read(page([0x50, 0x05, 0x4B, 0x46, 0x7F, 0xFF, 0x0C, 0x10]))
    }
    let model = DS18B20Model(environment: Environment((.temperature, 20_000)))
    var sensor = DS18B20(SimulatedKernelDevice(model))
    model.losesPower = true
    _ = try sensor.start()
    #expect(throws: SensorError.notReady) { try sensor.collect() }
    model.losesPower = false
    _ = try sensor.start()
    #expect(try sensor.collect().temperature.milliCelsius == 20_000)
  }

  @Test("DS18B20: when the kernel says NO, the old temperature of the second line is not taken")
  func verdict() {
    #expect(throws: SensorError.checksum) {
      try read("ff ff ff ff ff ff ff ff ff : crc=c9 NO\n3f 00 4b 46 7f ff 01 10 47 t=3937\n")
    }
    #expect(throws: SensorError.checksum) {
      try read("3f 00 4b 46 7f ff 01 10 47 : crc=47 NO\n3f 00 4b 46 7f ff 01 10 47 t=3937\n")
    }
  }

  @Test("DS18B20: a shorted line, whose zeros match their checksum, a torn page and no page are no values")
  func noValue() {
    #expect(throws: SensorError.implausible) {
      try read("00 00 00 00 00 00 00 00 00 : crc=00 YES\n00 00 00 00 00 00 00 00 00 t=0\n")
    }
    #expect(throws: SensorError.bus(.shortTransfer)) { try read("3f 00 4b 46 7f ff 01 10 47 : crc=47 ") }
    #expect(throws: SensorError.bus(.shortTransfer)) { try read("") }
    #expect(throws: SensorError.checksum) { try read(String(repeating: "zz ", count: 30)) }
  }
}
