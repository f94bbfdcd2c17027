import Chips
import Drivers
import HAL
import Simulation
import Testing

/// One chip on a simulated bus.
struct ExpanderBench<Chip: PortExpander, Model: ExpanderModel> {
  let model = Model()
  let target: SimulatedI2CTarget
  var chip: Chip

  init(_: Chip.Type, _: Model.Type) {
    let bus = SimulatedI2CBus()
    target = bus.attach(model, at: Chip.defaultAddress)
    chip = Chip(bus.device(at: Chip.defaultAddress))
  }

  /// What the pins show during `body`, change by change.
  mutating func changes(_ body: (inout Chip) throws -> Void) throws -> [PinLevels] {
    var seen: [PinLevels] = []
    model.pins.changed = { seen.append($0) }
    defer { model.pins.changed = nil }
    try body(&chip)
    return seen
  }
}

/// The chip is what `check` is called with, so that one test runs for all of them.
struct EveryExpander: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let check: @Sendable (any ExpanderCheck) throws -> Void

  static let all: [EveryExpander] = {
    var expanders = ExpanderCollector()
    forEachChip(&expanders)
    return expanders.expanders
  }()

  init<Chip: PortExpander, Model: ExpanderModel>(_ chip: Chip.Type, _ model: Model.Type) {
    testDescription = Chip.name.description
    check = { check in try check.check(ExpanderBench(Chip.self, Model.self)) }
  }
}

private struct ExpanderCollector: ChipVisitor {
  var expanders: [EveryExpander] = []

  mutating func expander<Driver: PortExpander, Model: ExpanderModel>(
    _ driver: Driver.Type, _ model: Model.Type
  ) {
    expanders.append(EveryExpander(driver, model))
  }
}

protocol ExpanderCheck {
  func check<Chip, Model>(_ bench: ExpanderBench<Chip, Model>) throws
}

/// What holds for every chip.
@Suite struct ExpanderContractTests {
  @Test(
    "every pattern that is written is on the pins, and is read back as held", arguments: EveryExpander.all)
  func patterns(_ expander: EveryExpander) throws {
    struct Check: ExpanderCheck {
      func check<Chip, Model>(_ bench: ExpanderBench<Chip, Model>) throws {
        var bench = bench
        try bench.chip.prepare()
        for pattern in stride(from: UInt32(0), through: Chip.allPins, by: Chip.pinCount == 16 ? 257 : 1) {
          let state = PortState(latch: pattern, outputs: Chip.allPins)
          try bench.chip.write(state)
          #expect(bench.model.pins.levels == pattern)
          #expect(try bench.chip.holds(state))
          #expect(try bench.chip.levels() == pattern)
        }
      }
    }
    try expander.check(Check())
  }

  @Test("from power-up on no pin is driven with another level than the first", arguments: EveryExpander.all)
  func latchBeforeDirection(_ expander: EveryExpander) throws {
    struct Check: ExpanderCheck {
      func check<Chip, Model>(_ bench: ExpanderBench<Chip, Model>) throws {
        var bench = bench
        for latch in [UInt32(0b0101), 0b1010] {
          bench.model.losePower()
          let seen = try bench.changes { chip in
            _ = try chip.adopt()
            try chip.write(PortState(latch: latch, outputs: 0b1111))
          }
          #expect(!seen.isEmpty)
          for levels in seen { #expect(levels.levels == latch & levels.driven & 0b1111) }
        }
      }
    }
    try expander.check(Check())
  }

  @Test("what it was set to shows after a restart of the program, and a loss of power does, too")
  func restart() throws {
    struct Check: ExpanderCheck {
      func check<Chip, Model>(_ bench: ExpanderBench<Chip, Model>) throws {
        var bench = bench
        let state = PortState(latch: 0b0110, outputs: 0b0111)
        _ = try bench.chip.adopt()
        try bench.chip.write(state)
        let before = bench.model.pins.now
        let seen = try bench.changes { chip in
          let found = try chip.adopt()
          if Chip.powerUp == .inputs { #expect(found == state) }
        }
        #expect(seen.isEmpty && bench.model.pins.now == before)
        bench.model.losePower()
        #expect(try !bench.chip.holds(state))
      }
    }
    for expander in EveryExpander.all { try expander.check(Check()) }
  }

  @Test(
    "whatever another program has left in its registers, preparing it changes no pin, and it obeys then",
    arguments: EveryExpander.all)
  func leftovers(_ expander: EveryExpander) throws {
    struct Check: ExpanderCheck {
      func check<Chip, Model>(_ bench: ExpanderBench<Chip, Model>) throws {
        let values: [UInt8] = [0, 0xFF, 0xA0, 0x55] + (0..<8).map { 1 << $0 }
        for register in UInt8.min...UInt8.max {
          for value in values {
            var bench = ExpanderBench(Chip.self, Model.self)
            try write(bench.target, [register, value])
            try write(bench.target, [register, value])  // the first may have moved what the register means
            let seen = try bench.changes { chip in try chip.prepare() }
            #expect(seen.isEmpty, "\(value) in register \(register)")
            for pattern in [UInt32(0x5A3C), 0xA5C3] {
              let state = PortState(latch: pattern & Chip.allPins, outputs: Chip.allPins)
              try bench.chip.write(state)
              #expect(try bench.chip.holds(state), "\(value) in register \(register)")
              #expect(try bench.chip.levels() == state.latch, "\(value) in register \(register)")
              #expect(bench.model.pins.levels == state.latch, "\(value) in register \(register)")
            }
          }
        }
      }

      func write(_ target: SimulatedI2CTarget, _ bytes: [UInt8]) throws { try target.write(bytes.span) }
    }
    try expander.check(Check())
  }

  @Test(
    "a chip that is not there, and a bus that hangs, are errors of every call", arguments: EveryExpander.all)
  func absent(_ expander: EveryExpander) throws {
    struct Check: ExpanderCheck {
      func check<Chip, Model>(_ bench: ExpanderBench<Chip, Model>) throws {
        var bench = bench
        let state = PortState(latch: 0, outputs: 1)
        for (fault, error) in [(Fault.absent, BusError.noAcknowledge), (.hang, .timeout), (.busy, .busy)] {
          bench.target.inject(fault)
          #expect(throws: error) { _ = try bench.chip.adopt() }
          #expect(throws: error) { try bench.chip.write(state) }
          #expect(throws: error) { _ = try bench.chip.holds(state) }
          #expect(throws: error) { _ = try bench.chip.levels() }
        }
      }
    }
    try expander.check(Check())
  }

  @Test("pins have the datasheet's names, in any case, and numbers")
  func names() {
    func pin<Chip: PortExpander>(_: Chip.Type, _ name: String) -> Int? {
      Chip.pin(named: Array(name.utf8).span)
    }
    #expect(pin(MCP23017.self, "GPA0") == 0 && pin(MCP23017.self, "gpb7") == 15)
    #expect(pin(MCP23008.self, "GP7") == 7 && pin(MCP23008.self, "GP8") == nil)
    #expect(pin(PCA9555.self, "P00") == 0 && pin(PCA9555.self, "P17") == 15)
    #expect(pin(PCF8574.self, "p3") == 3)
    #expect(pin(PCF8574.self, "7") == 7 && pin(PCF8574.self, "8") == nil && pin(MCP23017.self, "15") == 15)
    for wrong in ["", "16", "100", "GPC0", "GPA8", "-1", "GPA"] { #expect(pin(MCP23017.self, wrong) == nil) }
  }

  @Test("a chip can only have the addresses of its pins")
  func addresses() {
    #expect((0...127).filter { MCP23017.allows(address: $0) } == Array(0x20...0x27))
    #expect((0...127).filter { PCF8574.allows(address: $0) } == Array(0x20...0x27) + Array(0x38...0x3F))
  }
}

/// Facts of the datasheets, byte by byte.
@Suite struct ExpanderDatasheetTests {
  func write(_ target: SimulatedI2CTarget, _ bytes: [UInt8]) throws {
    try target.write(bytes.span)
  }

  func read(_ target: SimulatedI2CTarget, _ register: [UInt8], _ count: Int) throws -> [UInt8] {
    var answer = [UInt8](repeating: 0, count: count)
    var span = answer.mutableSpan
    if register.isEmpty {
      try target.read(into: &span)
    } else {
      try target.write(register.span, thenReadInto: &span)
    }
    return answer
  }

  @Test("after power-on the MCP23017's registers are 0 but for the directions, all inputs (table 3-5)")
  func mcp23017PowerUp() throws {
    let bench = ExpanderBench(MCP23017.self, MCP23017Model.self)
    let expected: [UInt8] = [0xFF, 0xFF] + [UInt8](repeating: 0, count: 20)
    #expect(try read(bench.target, [0x00], 22) == expected)
    #expect(bench.model.pins.now == PinLevels(driven: 0, levels: 0))
  }

  @Test("an MCP23017 that was left in the other register layout is brought back without a change on its pins")
  func mcp23017Bank() throws {
    var bench = ExpanderBench(MCP23017.self, MCP23017Model.self)
    try write(bench.target, [0x14, 0x0F, 0xF0])
    try write(bench.target, [0x00, 0x00, 0x00])
    for settings: UInt8 in [0x80, 0xA0, 0x20] {
      try write(bench.target, [0x0A, settings])
      let seen = try bench.changes { chip in
        let found = try chip.adopt()
        #expect(found == PortState(latch: 0xF00F, outputs: 0xFFFF))
      }
      #expect(seen.isEmpty)
    }
  }

  @Test(
    "writing the MCP23017's port writes its latch, and its port reads the pins, inverted where IPOL says so")
  func mcp23017Port() throws {
    let bench = ExpanderBench(MCP23017.self, MCP23017Model.self)
    try write(bench.target, [0x12, 0x55, 0xAA])
    #expect(try read(bench.target, [0x14], 2) == [0x55, 0xAA])
    bench.model.pins.outside = 0x0102
    try write(bench.target, [0x02, 0x01, 0x00])
    #expect(try read(bench.target, [0x12], 2) == [0x03, 0x01])
  }

  @Test("after power-on the MCP23008's registers are 0 but for the directions (table 1-3)")
  func mcp23008PowerUp() throws {
    let bench = ExpanderBench(MCP23008.self, MCP23008Model.self)
    #expect(try read(bench.target, [0x00], 11) == [0xFF] + [UInt8](repeating: 0, count: 10))
    #expect(bench.model.pins.now == PinLevels(driven: 0, levels: 0))
  }

  @Test("after power-on the PCA9555's outputs are ones, its pins inputs that are pulled high")
  func pca9555PowerUp() throws {
    let bench = ExpanderBench(PCA9555.self, PCA9555Model.self)
    #expect(try read(bench.target, [0x00], 2) == [0xFF, 0xFF])
    #expect(try read(bench.target, [0x02], 2) == [0xFF, 0xFF])
    #expect(try read(bench.target, [0x04], 2) == [0x00, 0x00])
    #expect(try read(bench.target, [0x06], 2) == [0xFF, 0xFF])
    #expect(bench.model.pins.now == PinLevels(driven: 0, levels: 0))
  }

  @Test("the PCA9555's bytes go to the two registers of a pair in turn, whichever comes first")
  func pca9555Pairs() throws {
    let bench = ExpanderBench(PCA9555.self, PCA9555Model.self)
    try write(bench.target, [0x03, 0x11, 0x22, 0x33])
    #expect(try read(bench.target, [0x02], 3) == [0x22, 0x33, 0x22])
  }

  @Test("after power-on the PCF8574's pins are high, and can be pulled low from outside")
  func pcf8574PowerUp() throws {
    let bench = ExpanderBench(PCF8574.self, PCF8574Model.self)
    #expect(bench.model.pins.now.driven == 0)
    #expect(try read(bench.target, [], 1) == [0xFF])
    bench.model.pins.outside = 0b1111_0111
    #expect(try read(bench.target, [], 1) == [0b1111_0111])
  }

  @Test("a PCF8574's pin that is pulled low although it is set high is no loss of what was written")
  func pcf8574Pulled() throws {
    var bench = ExpanderBench(PCF8574.self, PCF8574Model.self)
    let state = PortState(latch: 0b01, outputs: 0b11)
    try bench.chip.write(state)
    #expect(bench.model.pins.levels == 0b1111_1101)
    bench.model.pins.outside = 0b1111_1110
    #expect(try bench.chip.holds(state))
  }
}

/// Bytes on the wire, as the drivers' comments say.
@Suite struct ExpanderCostTests {
  @Test("transfers take as many bytes as the drivers say")
  func bytes() throws {
    func cost<Chip, Model>(
      _ bench: ExpanderBench<Chip, Model>, _ body: (inout Chip) throws -> Void
    ) throws -> Int {
      var bench = bench
      let before = bench.target.bytesOnWire
      try body(&bench.chip)
      return bench.target.bytesOnWire - before
    }
    let state = PortState(latch: 0, outputs: 0)
    let large = ExpanderBench(MCP23017.self, MCP23017Model.self)
    #expect(try cost(large) { try $0.prepare() } == 10)
    #expect(try cost(large) { _ = try $0.read() } == 10)
    #expect(try cost(large) { try $0.write(state) } == 8)
    #expect(try cost(large) { _ = try $0.levels() } == 5)
    let small = ExpanderBench(MCP23008.self, MCP23008Model.self)
    #expect(try cost(small) { try $0.prepare() } == 6)
    #expect(try cost(small) { _ = try $0.read() } == 8)
    #expect(try cost(small) { try $0.write(state) } == 6)
    #expect(try cost(small) { _ = try $0.levels() } == 4)
    let other = ExpanderBench(PCA9555.self, PCA9555Model.self)
    #expect(try cost(other) { try $0.prepare() } == 4)
    #expect(try cost(other) { _ = try $0.read() } == 10)
    #expect(try cost(other) { try $0.write(state) } == 8)
    #expect(try cost(other) { _ = try $0.levels() } == 5)
    let simple = ExpanderBench(PCF8574.self, PCF8574Model.self)
    #expect(try cost(simple) { _ = try $0.read() } == 2)
    #expect(try cost(simple) { try $0.write(state) } == 2)
  }
}
