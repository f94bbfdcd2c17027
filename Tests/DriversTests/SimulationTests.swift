import HAL
import Simulation
import Testing
import Units

/// The clock and the buses that models are on. What a model does beyond what its driver asks of it stands in the
/// chip's own file.
@Suite struct SimulationTests {
  let clock = VirtualClock()
  let environment = Environment((.temperature, 20_312))
  let bus = SimulatedI2CBus()

  @Test("the virtual clock moves forwards only")
  func virtualClock() {
    clock.advance(by: .seconds(3))
    clock.advance(to: Instant(nanoseconds: 5))
    clock.advance(by: .seconds(-1))
    #expect(clock.now == .zero + .seconds(3))
    clock.advance(to: Instant(nanoseconds: 4_000_000_000))
    #expect(clock.now.milliseconds == 4_000)
  }

  @Test("an empty address does not acknowledge, until a chip is attached there")
  func emptyAddress() throws {
    let device = bus.device(at: 0x49)
    #expect(throws: BusError.noAcknowledge) { try device.write(1, 0) }
    bus.attach(LM75Model(environment: environment, clock: clock), at: 0x49)
    try device.write(1, 0)
    bus.target(at: 0x49).model = nil
    #expect(throws: BusError.noAcknowledge) { try device.write(1, 0) }
  }

  @Test("chips at different addresses are apart, and one address has one device")
  func addresses() throws {
    let warm = Environment((.temperature, 90_000))
    bus.attach(LM75Model(environment: environment, clock: clock), at: 0x48)
    bus.attach(LM75Model(environment: warm, clock: clock), at: 0x49)
    clock.advance(by: .milliseconds(300))
    #expect(try bus.device(at: 0x48).read(0, count: 2)[0] == 20)
    #expect(try bus.device(at: 0x49).read(0, count: 2)[0] == 90)
    #expect(bus.device(at: 0x48) === bus.target(at: 0x48))
  }

  @Test("a fault begins after so many good transfers, lasts so many, and ends when healed")
  func faultWindow() throws {
    let target = bus.attach(LM75Model(environment: environment, clock: clock), at: 0x48)
    func failures(_ count: Int) -> [Bool] {
      (0..<count).map { _ in (try? target.write(1, 0)) == nil }
    }
    target.inject(.busy, after: 1, count: 2)
    #expect(failures(5) == [false, true, true, false, false])
    target.inject(.hang)
    #expect(failures(3) == [true, true, true])
    target.heal()
    #expect(failures(2) == [false, false])
    #expect(target.transfers == 10 && target.failures == 5)
    #expect(target.bytesOnWire == 5 * 3)
  }

  @Test("a flipped bit is counted from the highest of the first byte")
  func flippedBit() throws {
    let target = bus.attach(BMP280Model(environment: environment, clock: clock), at: 0x76)
    target.inject(.flippedBit(0), count: 1)
    #expect(try target.read(0xD0, count: 1) == [0xD8])
    target.inject(.flippedBit(15), count: 1)
    #expect(try target.read(0x88, count: 2) == [0x70, 0x6A])
    #expect(try target.read(0x88, count: 2) == [0x70, 0x6B])
  }
}
