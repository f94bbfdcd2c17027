import Drivers
import HAL
import Simulation
import Testing
import Units

/// What every driver promises, checked against a model that knows only the datasheet.
@Suite struct ContractTests {
  static let air = Air(
    (.temperature, 21_500), (.humidity, 48_000), (.pressure, 995_000), (.illuminance, 1_250_000),
    (.voltage, 1_500))
  static let otherAir = Air(
    (.temperature, -12_500), (.humidity, 73_000), (.pressure, 962_500), (.illuminance, 5_000),
    (.voltage, 3_100))

  /// Whether the readings are those of the air, one for each channel, in the promised order.
  func agree(_ readings: [Reading], _ chip: Chip, _ air: Air) -> Bool {
    guard readings.count == chip.channels.count else { return false }
    return readings.indices.allSatisfy { index in
      let channel = chip.channels[index]
      // Models have no noise: what stays the same for long is only estimated.
      guard Int(readings[index].channel) == index, readings[index].quality.isPublished,
        let value = readings[index].value
      else { return false }
      var thousandths = Double(value) * 1_000
      for _ in 0..<channel.scale { thousandths /= 10 }
      return abs(thousandths - Double(air[channel.quantity, channel.key])) <= chip.promises.within[index]
    }
  }

  /// Reads in other air than before: the values must be right and of now.
  func expectFreshReading(_ chip: Chip, _ bench: Bench, _ comment: Comment) {
    bench.target.heal()
    bench.set(Self.otherAir)
    do {
      let readings = try bench.read()
      #expect(agree(readings, chip, Self.otherAir), comment)
    } catch {
      Issue.record("\(error): \(comment)")
    }
  }

  /// A bench at rest in known air; a warm one has made a reading.
  func makeBench(_ chip: Chip, warm: Bool = false) throws -> Bench {
    let bench = chip.makeBench(Environment(), nil)
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
    for air in chip.promises.sweep() {
      bench.set(air)
      let readings = try bench.read()
      guard !agree(readings, chip, air) else { continue }
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
    let last = try transfers(chip, warm: warm) - 1
    for index in 0...last {
      for (fault, error) in faults {
        let bench = try makeBench(chip, warm: warm)
        bench.target.inject(fault, after: index, count: 1)
        var said: SensorError? = fault == .absent ? chip.promises.absentIs : .bus(error)
        if fault == .absent {
          if chip.promises.lastMeansNotReady, index == last { said = .notReady }
          if chip.promises.firstMayBeRefused, index == 0, !warm { said = nil }
        }
        #expect(bench.failure() == said, "\(fault) in transfer \(index)")
        expectFreshReading(chip, bench, "after \(fault) in transfer \(index)")
      }
    }
  }

  @Test("an absent chip is reported at every reading until it is back", arguments: Chip.all)
  func absent(chip: Chip) throws {
    let bench = try makeBench(chip, warm: true)
    bench.target.inject(.absent)
    for _ in 0..<5 { #expect(bench.failure() == chip.promises.absentIs) }
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
    if chip.promises.hasChecksum { #expect(found == 48, "every bit of the one transfer that has an answer") }
  }

  @Test("any other chip at the address is reported", arguments: Chip.all.filter { $0.identity != nil })
  func wrongIdentity(chip: Chip) throws {
    let identity = try #require(chip.identity)
    let bench = try makeBench(chip)
    for other in UInt8.min...UInt8.max where !identity.values.contains(other) {
      bench.target.inject(.wrongIdentity(other))
      #expect(bench.failure() == .wrongIdentity(found: other))
    }
    expectFreshReading(chip, bench, "when the right one is back")
  }

  @Test(
    "every chip of the kind is taken, early ones too", arguments: Chip.all.filter { $0.identity != nil })
  func ownIdentities(chip: Chip) throws {
    for own in try #require(chip.identity).values {
      let bench = try makeBench(chip)
      bench.target.inject(.wrongIdentity(own))
      #expect(agree(try bench.read(), chip, Self.air))
    }
  }

  @Test(
    "after any failed transfer the identity is checked anew",
    arguments: Chip.all.filter { $0.identity != nil })
  func identityAfterError(chip: Chip) throws {
    let wrong = ~(try #require(chip.identity).value)
    for index in 0..<(try transfers(chip, warm: true)) {
      let bench = try makeBench(chip, warm: true)
      bench.target.inject(.absent, after: index, count: 1)
      #expect(bench.failure() == .bus(.noAcknowledge))
      bench.target.inject(.wrongIdentity(wrong))
      #expect(bench.failure() == .wrongIdentity(found: wrong), "after transfer \(index)")
    }
  }

  @Test(
    "the model answers the identity rule as the chip does", arguments: Chip.all.filter { $0.identity != nil })
  func identityRule(chip: Chip) throws {
    let identity = try #require(chip.identity)
    let target = try #require(try makeBench(chip).target as? SimulatedI2CTarget)
    #expect(try target.read(identity.register, count: 1) == [identity.value])
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
    arguments: Chip.all.filter(\.promises.hasReadyFlag))
  func neverReady(chip: Chip) throws {
    let bench = try makeBench(chip, warm: true)
    bench.target.inject(.neverReady)
    #expect(bench.failure() == .notReady)
    for _ in 0..<3 { #expect(bench.failure() != nil) }
    expectFreshReading(chip, bench, "when it ends again")
  }

  @Test(
    "collecting too early is not ready, and the next reading is right and fresh",
    arguments: Chip.all.filter(\.promises.hasReadyFlag), [false, true])
  func tooEarly(chip: Chip, warm: Bool) throws {
    let bench = try makeBench(chip, warm: warm)
    let error = #expect(throws: SensorError.self) { try bench.readTooEarly() }
    // A chip that is being reset has no other way to say so than not to acknowledge.
    let mayBeDeaf = chip.promises.firstMayBeRefused && !warm
    #expect(error == (mayBeDeaf ? .bus(.noAcknowledge) : .notReady))
    bench.clock.advance(by: .seconds(1))
    expectFreshReading(chip, bench, "after one too early")
  }

  @Test(
    "a chip that lost power since the start yields no value",
    arguments: Chip.all.filter { !$0.promises.convertsInCollect && !$0.promises.hidesPowerLoss },
    [false, true])
  func powerCycle(chip: Chip, warm: Bool) throws {
    let bench = try makeBench(chip, warm: warm)
    #expect(throws: SensorError.self) { try bench.readAcrossPowerCycle() }
    expectFreshReading(chip, bench, "after the power cycle")
  }

  @Test(
    "a chip that lost power between two readings yields no wrong value then or later", arguments: Chip.all)
  func powerCycleBetweenReadings(chip: Chip) throws {
    let bench = try makeBench(chip, warm: true)
    bench.set(Self.otherAir)
    bench.replaceChip()
    if let readings = try? bench.read() { #expect(agree(readings, chip, Self.otherAir)) }
    bench.set(Self.air)
    #expect(agree(try bench.read(), chip, Self.air))
  }

  @Test(
    "a chip that cannot tell that it lost power is wrong once at most",
    arguments: Chip.all.filter(\.promises.hidesPowerLoss))
  func hiddenPowerCycle(chip: Chip) throws {
    let bench = try makeBench(chip, warm: true)
    #expect(!agree(try bench.readAcrossPowerCycle(), chip, Self.air), "otherwise it hides nothing")
    expectFreshReading(chip, bench, "after the power cycle")
  }

  @Test(
    "a chip that converts when it is collected yields a fresh value, whatever happened before",
    arguments: Chip.all.filter(\.promises.convertsInCollect))
  func powerCycleBeforeConversion(chip: Chip) throws {
    let bench = try makeBench(chip, warm: true)
    #expect(agree(try bench.readAcrossPowerCycle(), chip, Self.air))
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
    let (bytes, time) = (bench.target.bytesOnWire, bench.clock.now + chip.promises.pause)
    _ = try bench.read()
    #expect(bench.target.bytesOnWire - bytes == chip.promises.warmBytes)
    #expect(bench.clock.now - time == chip.promises.warmTime)
    #expect(chip.promises.warmTime < chip.shortestPeriod, "it can be done that often")
  }

  @Test(
    "no chip has more channels than a measurement has room for, and their names differ", arguments: Chip.all)
  func channels(chip: Chip) throws {
    #expect(!chip.channels.isEmpty && chip.channels.count <= Sensors.maximumChannels)
    #expect(Set(chip.channels.map(\.name.description)).count == chip.channels.count)
    #expect(chip.promises.within.count == chip.channels.count)
  }

  @Test("no two chips have the same name")
  func names() {
    let names = Chip.all.map { $0.name.lowercased() }
    #expect(Set(names).count == names.count)
  }
}
