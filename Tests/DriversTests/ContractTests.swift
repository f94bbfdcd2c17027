import Drivers
import HAL
import Simulation
import Testing
import Units

/// What every driver promises, checked against a model that knows only the datasheet.
@Suite struct ContractTests {
  static let air = Air(milliCelsius: 21_500, milliPercent: 48_000, milliPascals: 99_500_000)
  static let otherAir = Air(milliCelsius: -12_500, milliPercent: 73_000, milliPascals: 96_250_000)

  /// Whether the readings are those of the air, in the promised order.
  func agree(_ readings: [Reading], _ expected: [Expected]) -> Bool {
    readings.count == expected.count
      && zip(readings, expected).allSatisfy {
        $0.quantity == $1.quantity && abs(Double($0.thousandths) - $1.thousandths) <= $1.within
      }
  }

  /// Reads in other air than before: the values must be right and of now.
  func expectFreshReading(_ chip: Chip, _ bench: Bench, _ comment: Comment) {
    bench.target.heal()
    bench.set(Self.otherAir)
    do {
      let readings = try bench.read()
      #expect(agree(readings, chip.expected(Self.otherAir)), comment)
    } catch {
      Issue.record("\(error): \(comment)")
    }
  }

  /// A bench at rest in known air; a warm one has made a reading.
  func makeBench(_ chip: Chip, warm: Bool = false) throws -> Bench {
    let bench = chip.makeBench(Environment())
    bench.set(Self.air)
    if warm { _ = try bench.read() }
    return bench
  }

  /// How many transfers a reading makes.
  func transfers(_ chip: Chip, warm: Bool) throws -> Int {
    let bench = try makeBench(chip, warm: warm)
    let before = bench.target.transfers
    _ = try bench.read()
    return bench.target.transfers - before
  }

  @Test("a reading is what the air is, over the whole range", arguments: Chip.all)
  func wholeRange(chip: Chip) throws {
    let bench = try makeBench(chip)
    var wrong = 0
    for air in chip.sweep() {
      bench.set(air)
      let readings = try bench.read()
      guard !agree(readings, chip.expected(air)) else { continue }
      wrong += 1
      if wrong <= 5 { Issue.record("\(chip.name) in \(air): \(readings)") }
    }
    #expect(wrong == 0)
  }

  @Test(
    "a bus that fails any transfer of a reading is reported, and the next reading is right and fresh",
    arguments: Chip.all, [false, true])
  func busFaults(chip: Chip, warm: Bool) throws {
    let faults: [(Fault, BusError)] = [(.absent, .noAcknowledge), (.busy, .busy), (.hang, .timeout)]
    for index in 0..<(try transfers(chip, warm: warm)) {
      for (fault, error) in faults {
        let bench = try makeBench(chip, warm: warm)
        bench.target.inject(fault, after: index, count: 1)
        let isNotReady = fault == .absent && chip.notReadyTransfers.contains(index)
        #expect(
          bench.failure() == (isNotReady ? .notReady : .bus(error)), "\(fault) in transfer \(index)")
        expectFreshReading(chip, bench, "after \(fault) in transfer \(index)")
      }
    }
  }

  @Test("an absent chip is reported at every reading until it is back", arguments: Chip.all)
  func absent(chip: Chip) throws {
    let bench = try makeBench(chip, warm: true)
    bench.target.inject(.absent)
    for _ in 0..<5 { #expect(bench.failure() == .bus(.noAcknowledge)) }
    expectFreshReading(chip, bench, "when it is back")
  }

  @Test(
    "a short answer is reported, and the next reading is right and fresh", arguments: Chip.all, [false, true])
  func shortAnswer(chip: Chip, warm: Bool) throws {
    var shown = 0
    for index in 0..<(try transfers(chip, warm: warm)) {
      let bench = try makeBench(chip, warm: warm)
      bench.target.inject(.shortAnswer, after: index, count: 1)
      if let failure = bench.failure() {
        #expect(failure == .bus(.shortTransfer), "in transfer \(index)")
        shown += 1
      }
      expectFreshReading(chip, bench, "after transfer \(index)")
    }
    #expect(shown > 0)
  }

  @Test(
    "a wrong bit spoils one reading at most, and a checksum finds it", arguments: Chip.all, [false, true])
  func damagedAnswer(chip: Chip, warm: Bool) throws {
    var found = 0
    for index in 0..<(try transfers(chip, warm: warm)) {
      for bit in 0..<48 {
        let bench = try makeBench(chip, warm: warm)
        bench.target.inject(.flippedBit(bit), after: index, count: 1)
        let failure = bench.failure()
        if failure == .checksum { found += 1 }
        expectFreshReading(chip, bench, "after a wrong bit \(bit) in transfer \(index)")
      }
    }
    if chip.hasChecksum { #expect(found == 48, "every bit of the one transfer that has an answer") }
  }

  @Test("another chip at the address is reported", arguments: Chip.all.filter(\.hasIdentity))
  func wrongIdentity(chip: Chip) throws {
    let bench = try makeBench(chip)
    bench.target.inject(.wrongIdentity(0x60))
    for _ in 0..<3 { #expect(bench.failure() == .wrongIdentity(found: 0x60)) }
    expectFreshReading(chip, bench, "when the right one is back")
  }

  @Test("after any failed transfer the identity is checked anew", arguments: Chip.all.filter(\.hasIdentity))
  func identityAfterError(chip: Chip) throws {
    for index in 0..<(try transfers(chip, warm: true)) {
      let bench = try makeBench(chip, warm: true)
      bench.target.inject(.absent, after: index, count: 1)
      #expect(bench.failure() == .bus(.noAcknowledge))
      bench.target.inject(.wrongIdentity(0x60))
      #expect(bench.failure() == .wrongIdentity(found: 0x60), "after transfer \(index)")
    }
  }

  @Test("a chip replaced or power-cycled while it failed is set up anew", arguments: Chip.all)
  func replaced(chip: Chip) throws {
    for index in 0..<(try transfers(chip, warm: true)) {
      let bench = try makeBench(chip, warm: true)
      bench.target.inject(.busy, after: index, count: 1)
      #expect(bench.failure() == .bus(.busy))
      bench.replaceChip()
      expectFreshReading(chip, bench, "after transfer \(index)")
    }
  }

  @Test(
    "a conversion that does not end is reported, and never as a value",
    arguments: Chip.all.filter(\.hasReadyFlag))
  func neverReady(chip: Chip) throws {
    let bench = try makeBench(chip, warm: true)
    bench.target.inject(.neverReady)
    #expect(bench.failure() == .notReady)
    for _ in 0..<3 { #expect(bench.failure() != nil) }
    expectFreshReading(chip, bench, "when it ends again")
  }

  @Test(
    "collecting too early is not ready, and the next reading is right and fresh",
    arguments: Chip.all.filter(\.hasReadyFlag))
  func tooEarly(chip: Chip) throws {
    let bench = try makeBench(chip)
    #expect(throws: SensorError.notReady) { try bench.readTooEarly() }
    bench.clock.advance(by: .seconds(1))
    expectFreshReading(chip, bench, "after one too early")
  }

  @Test("a chip that lost power since the start yields no value", arguments: Chip.all, [false, true])
  func powerCycle(chip: Chip, warm: Bool) throws {
    let bench = try makeBench(chip, warm: warm)
    #expect(throws: SensorError.self) { try bench.readAcrossPowerCycle() }
    expectFreshReading(chip, bench, "after the power cycle")
  }

  @Test("collecting what was not started is not ready, and makes no transfer", arguments: Chip.all)
  func notStarted(chip: Chip) throws {
    let bench = try makeBench(chip)
    #expect(throws: SensorError.notReady) { try bench.collectOnly() }
    #expect(bench.target.transfers == 0)
    _ = try bench.read()
    let transfers = bench.target.transfers
    #expect(throws: SensorError.notReady) { try bench.collectOnly() }
    #expect(bench.target.transfers == transfers, "a value is collected once")
  }

  @Test("a reading costs the bytes and the time its documentation says", arguments: Chip.all)
  func cost(chip: Chip) throws {
    let bench = try makeBench(chip, warm: true)
    let (bytes, time) = (bench.target.bytesOnWire, bench.clock.now)
    _ = try bench.read()
    #expect(bench.target.bytesOnWire - bytes == chip.warmBytes)
    #expect(bench.clock.now - time == chip.warmTime)
  }
}
