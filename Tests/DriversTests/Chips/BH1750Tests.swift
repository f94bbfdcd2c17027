import Drivers
import HAL
import Simulation
import Testing
import Units

extension BH1750: ChipPromises {
  /// In steps of 1 lx, and the darkest in finer ones.
  static let promises = Promises(
    sweep: {
      (Int64(0)...1_000).map { Air((.illuminance, $0 * 7)) }
        + (0...54_612).map { Air((.illuminance, $0 * 1_000)) }
    },
    within: [418], hidesPowerLoss: true,
    otherPrograms: [[[0x01], [0x47], [0x7E], [0x11]], [[0x40], [0x7F], [0x13]], [[0x43], [0x23]]],
    warmBytes: 5, warmTime: .milliseconds(180))
}

@Suite struct BH1750Tests {
  let clock = VirtualClock()
  let environment = Environment((.illuminance, 100_000))
  let bus = SimulatedI2CBus()

  @Test("BH1750: the example of the datasheet, 0x8390, is 28067 lx")
  func example() throws {
    var sensor = BH1750(FixedCount(0x8390))
    _ = try sensor.start()
    let measurement = try sensor.collect()
    #expect((Double(measurement.illuminance.milliLux) / 1_000).rounded() == 28_067)
    #expect(measurement.quality == .good)
  }

  @Test("BH1750: a count is 1/1.2 lx, rounded to a thousandth, and the full scale is an estimate")
  func everyCount() throws {
    for count in UInt16.min...UInt16.max {
      var sensor = BH1750(FixedCount(count))
      _ = try sensor.start()
      let measurement = try sensor.collect()
      #expect(Double(measurement.illuminance.milliLux) == (Double(count) * 1_000 / 1.2).rounded())
      #expect(measurement.quality == (count == 0xFFFF ? .estimated : .good))
    }
  }

  @Test("BH1750: its two addresses are no range")
  func addresses() {
    #expect((UInt8(0)...0x7F).filter(BH1750.allows) == [0x23, 0x5C])
    #expect(BH1750.allows(BH1750.usualAddress))
  }

  @Test("BH1750: a result is there when its time is over, and stays until the next")
  func states() throws {
    let device = bus.attach(BH1750Model(environment: environment, clock: clock), at: 0x23)
    #expect(try device.read(count: 2) == [0, 0])
    try device.write(0x20)
    clock.advance(by: .milliseconds(179))
    #expect(try device.read(count: 2) == [0, 0])
    clock.advance(by: .milliseconds(1))
    #expect(try device.read(count: 2) == [0, 120])
    environment.set(.illuminance, thousandths: 200_000)
    clock.advance(by: .seconds(10))
    #expect(try device.read(count: 2) == [0, 120], "one measurement, then power down")
    try device.write(0x07)
    #expect(try device.read(count: 2) == [0, 120], "no reset while powered down")
    try device.write(0x01)
    try device.write(0x07)
    #expect(try device.read(count: 2) == [0, 0])
  }

  @Test("BH1750: continuous modes follow the light, with twice and a quarter of the steps")
  func modes() throws {
    let device = bus.attach(BH1750Model(environment: environment, clock: clock), at: 0x23)
    try device.write(0x11)
    clock.advance(by: .milliseconds(180))
    #expect(try device.read(count: 2) == [0, 240])
    environment.set(.illuminance, thousandths: 50_000)
    #expect(try device.read(count: 2) == [0, 120])
    try device.write(0x13)
    environment.set(.illuminance, thousandths: 52_000)
    clock.advance(by: .milliseconds(24))
    #expect(try device.read(count: 2) == [0, 60])
    try device.write(0x00)
    environment.set(.illuminance, thousandths: 0)
    #expect(try device.read(count: 2) == [0, 60])
    #expect(throws: BusError.noAcknowledge) { try device.write(0x10, 0x11) }
  }

  @Test("BH1750: counts and time are in proportion to the measurement time, which a reset does not touch")
  func measurementTime() throws {
    let device = bus.attach(BH1750Model(environment: environment, clock: clock), at: 0x23)
    try device.write(0x01)
    try device.write(0x40 | 138 >> 5)
    try device.write(0x60 | 138 & 0b1_1111)
    try device.write(0x07)
    try device.write(0x20)
    clock.advance(by: .milliseconds(359))
    #expect(try device.read(count: 2) == [0, 0])
    clock.advance(by: .milliseconds(1))
    #expect(try device.read(count: 2) == [0, 240])
  }

  /// A light sensor with that count.
  private final class FixedCount: I2CDevice {
    let count: UInt16
    init(_ count: UInt16) { self.count = count }
    func write(_ bytes: Span<UInt8>) throws(BusError) {}
    func read(into bytes: inout MutableSpan<UInt8>) throws(BusError) {
      bytes[0] = UInt8(count >> 8)
      bytes[1] = UInt8(count & 0xFF)
    }
    func write(_ bytes: Span<UInt8>, thenReadInto answer: inout MutableSpan<UInt8>) throws(BusError) {
      throw .noAcknowledge
    }
  }
}
