import Drivers
import HAL
import Simulation
import Testing
import Units

/// Every state that somebody else can leave a chip in: chips keep their supply when a program ends, and a bus has room
/// for several programs.
extension ContractTests {
  /// The chips that another program can write to. What is on SPI here has no registers, and the kernel's chips are
  /// written by the kernel alone.
  static let shared = Chip.all.filter { $0.makeBench(Environment(), nil).target is SimulatedI2CTarget }

  /// Every single byte; every register with nothing, everything, and each bit set; what the chip's own file
  /// adds.
  static func leftovers(_ chip: Chip) -> [[[UInt8]]] {
    let values: [UInt8] = [0, 0xFF] + (0..<8).map { 1 << $0 }
    let numbers = UInt8.min...UInt8.max
    let single: [[[UInt8]]] = numbers.map { [[$0]] }
    let pairs: [[[UInt8]]] = numbers.flatMap { number in values.map { [[number, $0]] } }
    return single + pairs + chip.promises.otherPrograms.flatMap { [$0, $0] }
  }

  /// Writes as another program would; what is not acknowledged was no use to that one either.
  func write(_ leftover: [[UInt8]], to bench: Bench) throws {
    let target = try #require(bench.target as? SimulatedI2CTarget)
    for bytes in leftover {
      do throws(BusError) { try target.write(bytes.span) } catch { #expect(error == .noAcknowledge) }
      bench.clock.advance(by: .milliseconds(2))
    }
  }

  @Test("whatever another program has left in a chip, the first reading is right", arguments: shared)
  func atStart(chip: Chip) throws {
    for (index, leftover) in Self.leftovers(chip).enumerated() {
      let bench = try makeBench(chip)
      try write(leftover, to: bench)
      if index % 2 == 1 { bench.clock.advance(by: .seconds(1)) }  // what it has begun has ended
      expectFreshReading(chip, bench, "after \(leftover)")
    }
  }

  @Test(
    "whatever another program does to a chip that has failed, the next reading is right", arguments: shared)
  func afterAnError(chip: Chip) throws {
    for leftover in Self.leftovers(chip) {
      let bench = try makeBench(chip, warm: true)
      bench.target.inject(.busy, count: 1)
      #expect(bench.failure() == .bus(.busy))
      bench.target.heal()
      try write(leftover, to: bench)
      expectFreshReading(chip, bench, "after \(leftover)")
    }
  }
}
