import HAL
import Testing
import Units

@testable import Drivers
@testable import Simulation

extension SHT3x: ChipPromises {
  /// Every raw value of both quantities, in different orders.
  static let promises = Promises(
    sweep: {
      (0...65_535).map {
        Air(
          (.temperature, Air.nearest($0, step: 175_000.0 / 65_535) - 45_000),
          (.humidity, Air.nearest($0 * 40_503 % 65_536, step: 100_000.0 / 65_535)))
      }
    },
    within: [2, 2], hasChecksum: true, hasReadyFlag: true, lastMeansNotReady: true, firstMayBeRefused: true,
    otherPrograms: [
      // Heater, periodic modes with and without a fetch, a single shot
      [[0x30, 0x6D]], [[0x20, 0x32]], [[0x2B, 0x32]], [[0x2C, 0x06]], [[0x24, 0x00]], [[0xF3, 0x2D]],
      [[0x30, 0x6D], [0x27, 0x37]], [[0x27, 0x37], [0xE0, 0x00]],
    ],
    warmBytes: 10, warmTime: .milliseconds(16))
}

@Suite struct SHT3xTests {
  @Test("SHT3x: the checksum of BEEF is 92, in the driver and in the model, which agree on all words")
  func checksum() {
    #expect(SHT3x.crc(of: 0xBEEF) == 0x92)
    #expect(SHT3xModel.checksum(0xBEEF) == 0x92)
    for word in UInt16.min...UInt16.max { #expect(SHT3x.crc(of: word) == SHT3xModel.checksum(word)) }
  }

  @Test("SHT3x: does not acknowledge while it measures nor without a measurement, and yields one once")
  func states() throws {
    let clock = VirtualClock()
    let device = SimulatedI2CBus().attach(
      SHT3xModel(environment: Environment((.temperature, 20_312)), clock: clock), at: 0x44)
    #expect(throws: BusError.noAcknowledge) { try device.read(count: 6) }
    #expect(throws: BusError.noAcknowledge) { try device.write(0x12, 0x34) }
    try device.write(0x24, 0x16)
    #expect(throws: BusError.noAcknowledge) { try device.write(0x24, 0x16) }
    clock.advance(by: .milliseconds(4))
    #expect(try device.read(count: 6)[3...4] == [0x80, 0x00])
    #expect(throws: BusError.noAcknowledge) { try device.read(count: 6) }
  }

  @Test(
    "SHT3x: values that are exactly the same 256 times have it reset, and are estimated if they stay so"
  )
  func stuck() throws {
    let clock = VirtualClock()
    let environment = Environment((.temperature, 20_312))
    let bus = SimulatedI2CBus()
    var sensor = SHT3x(bus.attach(SHT3xModel(environment: environment, clock: clock), at: 0x44))
    var before = 0
    for count in 1...520 {
      let resets = { bus.target(at: 0x44).transfers - before }
      before = bus.target(at: 0x44).transfers
      let measurement = try read(&sensor, clock)
      #expect(measurement.quality == (count < 256 ? .good : .estimated), "reading \(count)")
      #expect((resets() > 2) == [1, 257, 513].contains(count), "reading \(count)")
    }
    environment.set(.temperature, thousandths: 20_320)
    #expect(try read(&sensor, clock).quality == .good)
  }

  private func read(_ sensor: inout SHT3x, _ clock: VirtualClock) throws -> ClimateMeasurement {
    var wait = try sensor.start()
    clock.advance(by: wait)
    while let more = try sensor.advance() {
      wait = more
      clock.advance(by: wait)
    }
    return try sensor.collect()
  }

  @Test("SHT3x: in a periodic mode it acknowledges fetch and break alone, through the end of the program")
  func periodic() throws {
    let clock = VirtualClock()
    let device = SimulatedI2CBus().attach(
      SHT3xModel(environment: Environment((.temperature, 20_312)), clock: clock), at: 0x44)
    try device.write(0x27, 0x37)
    for _ in 0..<3 {
      clock.advance(by: .milliseconds(100))
      #expect(throws: BusError.noAcknowledge) { try device.write(0x24, 0x00) }
      #expect(throws: BusError.noAcknowledge) { try device.write(0x30, 0xA2) }
      #expect(throws: BusError.noAcknowledge) { try device.read(count: 6) }
      try device.write(0xE0, 0x00)
      #expect(try device.read(count: 6).count == 6)
      #expect(throws: BusError.noAcknowledge, "once each") { try device.read(count: 6) }
    }
    try device.write(0x30, 0x93)
    #expect(throws: BusError.noAcknowledge) { try device.write(0x30, 0xA2) }
    clock.advance(by: .milliseconds(1))
    try device.write(0x30, 0xA2)
    clock.advance(by: .microseconds(1_500))
    try device.write(0x24, 0x00)
  }

  @Test("SHT3x: another program that starts a periodic mode meanwhile costs one reading")
  func takenMeanwhile() throws {
    let bench = try Chip.named("SHT3x").makeBench(Environment(), nil)
    _ = try bench.read()
    let device = try #require(bench.target as? SimulatedI2CTarget)
    try device.write(0x21, 0x30)
    #expect(bench.failure() == .bus(.noAcknowledge))
    for _ in 0..<3 { #expect(bench.failure() == nil) }
  }

  @Test("SHT3x: any two words with matching checksums are a value of its range")
  func everyWord() throws {
    var random = Xorshift(seed: 4)
    for _ in 0..<20_000 {
      let words = (
        UInt16(truncatingIfNeeded: random.next() >> 8), UInt16(random.byte()) << 8 | UInt16(random.byte())
      )
      var sensor = SHT3x(FixedWords(words.0, words.1))
      _ = try sensor.start()
      while try sensor.advance() != nil {}
      let measurement = try sensor.collect()
      #expect((-45_000...130_000).contains(measurement.temperature.milliCelsius))
      #expect((0...100_000).contains(measurement.humidity.milliPercent))
    }
  }

  private final class FixedWords: I2CDevice {
    let words: (UInt16, UInt16)
    init(_ first: UInt16, _ second: UInt16) { words = (first, second) }
    func write(_ bytes: Span<UInt8>) throws(BusError) {}
    func read(into bytes: inout MutableSpan<UInt8>) throws(BusError) {
      for (index, word) in [words.0, words.1].enumerated() {
        bytes[3 * index] = UInt8(word >> 8)
        bytes[3 * index + 1] = UInt8(word & 0xFF)
        bytes[3 * index + 2] = SHT3xModel.checksum(word)
      }
    }
    func write(_ bytes: Span<UInt8>, thenReadInto answer: inout MutableSpan<UInt8>) throws(BusError) {
      throw .noAcknowledge
    }
  }
}
