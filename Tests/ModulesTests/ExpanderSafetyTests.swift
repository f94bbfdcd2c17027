import Chips
import DeviceBench
import DeviceRuntime
import Drivers
import Expanders
import HAL
import Modules
import Simulation
import Testing

/// What makes an output behind a bus safe, and what `check` says of those that are not.
@Suite struct ExpanderSafetyTests {
  typealias Output = ExpanderBoard.Output

  @Test("the enable line lets outputs through after the first confirmed write, not before")
  func enable() throws {
    let board = try ExpanderBoard(isEnabledByLine: true, before: { $1.inject(.absent) })
    board.start()
    board.bench.run(for: .seconds(30))
    #expect(board.enable?.isActive == false && board.enable?.changes == 0)
    board.target.heal()
    board.bench.run(for: .seconds(1))
    #expect(board.enable?.isActive == true && board.lines[0].level == .driven(false))
  }

  @Test("it is taken again when a transfer is unconfirmed for two seconds, and given back after the next one")
  func enableLost() throws {
    let board = try ExpanderBoard([Output(pin: 0, start: true)], isEnabledByLine: true)
    board.start()
    board.bench.busHangs = true
    try board.lines[0].set(active: false)
    board.bench.run(for: .milliseconds(1_999))
    #expect(board.enable?.isActive == true)
    board.bench.run(for: .milliseconds(1))
    #expect(board.enable?.isActive == false)
    board.bench.run(for: .seconds(60))
    #expect(board.enable?.changes == 2)
    board.bench.busHangs = false
    board.bench.settle()
    #expect(board.enable?.isActive == true && board.pins.levels == 0)
  }

  @Test("retries do not put off the moment, and the time is the one that was asked for")
  func enableLostLater() throws {
    let board = try ExpanderBoard(
      isEnabledByLine: true, timing: ExpanderTiming(lostAfter: .milliseconds(4_200)))
    board.start()
    board.target.inject(.absent)
    try board.lines[0].set(active: true)
    board.bench.run(for: .milliseconds(4_199))
    #expect(board.enable?.isActive == true)
    board.bench.run(for: .milliseconds(1))
    #expect(board.enable?.isActive == false)
  }

  @Test("two faults that each pass in time do not add up")
  func enableKept() throws {
    let board = try ExpanderBoard(isEnabledByLine: true)
    board.start()
    for _ in 0..<4 {
      board.target.inject(.busy, count: 1)
      try board.lines[0].set(active: !board.lines[0].isActive)
      board.bench.run(for: .milliseconds(1_500))
    }
    #expect(board.enable?.changes == 1)
  }

  @Test("at the stop it is taken at once, whatever the bus does, and levels still go out")
  func stop() throws {
    let board = try ExpanderBoard([Output(pin: 0, start: true)], isEnabledByLine: true)
    board.start()
    board.bench.busHangs = true
    try board.lines[0].set(active: false)
    board.port.stop()
    #expect(board.enable?.isActive == false && !board.port.isSettled)
    board.bench.busHangs = false
    board.bench.run(for: .seconds(30))
    #expect(board.port.isSettled && board.pins.levels == 0 && board.enable?.isActive == false)
    #expect(
      board.bench.deadline.map { $0 > board.clock.now + .seconds(5) } ?? true, "nothing is read any more")
  }

  @Test("an enable line that refuses is tried again every second")
  func enableRefuses() throws {
    let board = try ExpanderBoard(isEnabledByLine: true)
    board.enable?.fault = .chipGone
    board.start()
    board.bench.run(for: .seconds(3))
    #expect(board.enable?.isActive == false && board.states.news().contains(.failing(.chipGone)))
    board.enable?.fault = nil
    board.bench.run(for: .seconds(1))
    #expect(board.enable?.isActive == true)
  }

  /// A board with one relay `fan` on it, connected.
  func fan(_ policy: SafetyPolicy, isEnabledByLine: Bool = false) throws -> ExpanderBoard {
    let board = try ExpanderBoard(
      [Output(pin: 4, start: policy.start)], isEnabledByLine: isEnabledByLine,
      relays: { [Relay(name: "fan", gate: SafetyGate(line: $0[0], policy: policy))] })
    board.start()
    _ = board.bench.news()
    return board
  }

  @Test("a relay on an expander obeys, is safe when the broker is lost, and stops")
  func relay() throws {
    let lost = SafetyPolicy.Lost(after: .seconds(60), then: false)
    let board = try fan(SafetyPolicy(brokerLost: lost))
    board.bench.send("ON", to: "fan")
    #expect(board.pins.levels == 0x10 && board.bench.retained("fan/state") == "ON")
    board.bench.loseBroker()
    board.bench.run(for: .milliseconds(59_999))
    #expect(board.pins.levels == 0x10)
    board.bench.run(for: .milliseconds(1))
    #expect(board.pins.levels == 0)
    board.bench.comeBack()
    board.bench.send("ON", to: "fan")
    board.bench.device.stop()
    board.bench.settle()
    #expect(board.pins.levels == 0)
  }

  @Test("max_on that ends while the bus is away for a moment switches off when it is back")
  func maxOn() throws {
    let board = try fan(SafetyPolicy(maxOn: .seconds(30)))
    board.bench.send("ON", to: "fan")
    board.bench.run(for: .milliseconds(29_500))
    board.target.inject(.absent)
    board.bench.run(for: .seconds(1))
    #expect(board.pins.levels == 0x10)
    board.target.heal()
    board.bench.run(for: .seconds(2))
    #expect(board.pins.levels == 0)
  }

  @Test("whatever happens to the bus and the chip, in the end the pins are what was asked for last")
  func anyHistory() throws {
    for seed in UInt64(1)...150 {
      var random = Dice(state: seed)
      let outputs = (0..<16).map { Output(pin: $0, activeLow: $0 % 3 == 0) }
      let board = try ExpanderBoard(outputs, isEnabledByLine: true)
      // Nobody can know of that before the next reading: one half of the histories is without it.
      var hasLostPower = false
      board.start()
      var wanted = [Bool](repeating: false, count: 16)
      for _ in 0..<60 {
        switch random.next() % 8 {
        case 0: board.target.inject([.absent, .hang, .busy, .shortAnswer][Int(random.next() % 4)])
        case 1: board.target.inject(.flippedBit(Int(random.next() % 16)), count: Int(random.next() % 3))
        case 2 where seed % 2 == 0:
          board.model.losePower()
          hasLostPower = true
        case 3: board.target.heal()
        case 4: board.bench.busHangs.toggle()
        default:
          let pin = Int(random.next() % 16)
          wanted[pin].toggle()
          try board.lines[pin].set(active: wanted[pin])
        }
        board.bench.run(for: .milliseconds(Int64(random.next() % 1_200)))
        let isKnown = board.lines.allSatisfy { $0.level != .unknown }
        #expect(board.enable?.isActive == false || isKnown)
        for (line, output) in zip(board.lines, outputs) {
          guard case .driven(let active) = line.level, !hasLostPower else { continue }
          #expect(
            (board.pins.levels >> UInt32(output.pin) & 1 == 1) == (active != output.activeLow), "seed \(seed)"
          )
        }
      }
      board.target.heal()
      board.bench.busHangs = false
      board.bench.run(for: .seconds(7))
      #expect(board.lines.map(\.level) == wanted.map { .driven($0) }, "seed \(seed)")
      let levels = wanted.indices.reduce(UInt32(0)) {
        wanted[$1] != ($1 % 3 == 0) ? $0 | 1 << UInt32($1) : $0
      }
      #expect(board.pins == PinLevels(driven: 0xFFFF, levels: levels) && board.enable?.isActive == true)
    }
  }

  @Test("check says what cannot be promised, and what the enable line makes of it")
  func promises() {
    #expect(
      ExpanderKind.promise(isEnabledByLine: false).string
        == "start level with the first transfer; a command can take 200 ms when another chip hangs the bus; "
        + "no stop or crash level when the bus is stuck")
    #expect(
      ExpanderKind.promise(isEnabledByLine: true, timing: ExpanderTiming(lostAfter: .milliseconds(2_500)))
        .string
        == "cut off by its enable line until the first transfer, when the bus has failed for 2500ms, and at the "
        + "stop, whatever its stop level; a command can take 200 ms when another chip hangs the bus")
  }

  @Test("an output that a PCF8574 switches on at power-up, although it starts off, is a problem")
  func powerUp() {
    let kind = ExpanderKind(PCF8574.self)
    #expect(
      kind.powerUpProblem(activeLow: false, startsActive: false)?.string
        == "a PCF8574 has all pins high from power-up on, which is on: use active: low, or start: on")
    #expect(kind.powerUpProblem(activeLow: true, startsActive: false) == nil)
    #expect(kind.powerUpProblem(activeLow: false, startsActive: true) == nil)
    #expect(
      ExpanderKind(PCA9555.self).powerUpProblem(activeLow: false, startsActive: false) == nil)
  }

  @Test("each kind of chip works as an expander")
  func kinds() throws {
    var check = WorksAsExpander()
    forEachChip(&check)
    #expect(check.names.count == ExpanderKind.all.count)
  }

  /// SplitMix64.
  struct Dice {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
      return mixed ^ mixed >> 31
    }
  }
}

/// A chip of each kind behind the last of its lines.
private struct WorksAsExpander: ChipVisitor {
  var names: [String] = []

  mutating func expander<Driver: PortExpander, Model: ExpanderModel>(
    _ driver: Driver.Type, _ model: Model.Type
  ) {
    let kind = ExpanderKind(driver)
    names.append(kind.name)
    do { try works(kind, Model()) } catch { Issue.record("\(kind.name): \(error)") }
  }

  private func works(_ kind: ExpanderKind, _ model: any ExpanderModel) throws {
    let bus = SimulatedI2CBus()
    bus.attach(model, at: kind.defaultAddress)
    let bench = try DeviceBench.make([])
    let expander = kind.make(bus.device(at: kind.defaultAddress), bench.queue, nil, ExpanderTiming())
    let line = try expander.output(kind.pinNames.count - 1, activeLow: true, startsActive: false)
    expander.open()
    expander.start(on: bench.device)
    bench.start()
    let bit = UInt32(1) << UInt32(kind.pinNames.count - 1)
    #expect(line.level == .driven(false) && model.pins.levels & bit != 0, "\(kind.name)")
    try line.set(active: true)
    bench.settle()
    #expect(line.level == .driven(true) && model.pins.levels & bit == 0, "\(kind.name)")
    #expect(kind.allows(kind.defaultAddress) && !kind.allows(0x48) && kind.pin("0") == 0)
  }
}
