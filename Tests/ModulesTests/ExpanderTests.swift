import DeviceRuntime
import Drivers
import Expanders
import HAL
import Modules
import Simulation
import Testing

/// An output of an expander is as good as its word: pending until the chip has shown it.
@Suite struct ExpanderTests {
  typealias Output = ExpanderBoard.Output

  @Test("start levels come with the first transfer, levels before directions, and are pending until then")
  func start() throws {
    let board = try ExpanderBoard([
      Output(pin: 0, start: true), Output(pin: 1), Output(pin: 9, activeLow: true),
      Output(pin: 15, activeLow: true, start: true),
    ])
    #expect(board.lines.map(\.level) == [.pending(true), .pending(false), .pending(false), .pending(true)])
    #expect(!board.port.isSettled && board.pins.driven == 0)
    board.start()
    #expect(board.lines.map(\.level) == [.driven(true), .driven(false), .driven(false), .driven(true)])
    #expect(board.pins == PinLevels(driven: 0x8203, levels: 0x0201))
    for levels in board.shown { #expect(levels.levels == 0x0201 & levels.driven) }
    #expect(
      board.watchers.map { $0.news() } == [["driven on"], ["driven off"], ["driven off"], ["driven on"]])
    #expect(board.states.news() == [.holding] && board.port.isSettled)
  }

  @Test("a level is pending until the chip has it, and the observer hears of that")
  func pending() throws {
    let board = try ExpanderBoard()
    board.start()
    _ = board.watchers[0].news()
    try board.lines[0].set(active: true)
    #expect(board.lines[0].level == .pending(true) && board.lines[0].isActive && board.pins.levels == 0)
    #expect(board.watchers[0].news().isEmpty)
    board.bench.settle()
    #expect(board.lines[0].level == .driven(true) && board.pins.levels == 1)
    #expect(board.watchers[0].news() == ["driven on"])
  }

  @Test(
    "however many outputs are set while a transfer is under way, one more does it, and the newest value wins")
  func coalescing() throws {
    let board = try ExpanderBoard((0..<16).map { Output(pin: $0) })
    board.start()
    let before = board.target.transfers
    try board.lines[0].set(active: true)
    let one = before + 4
    for line in board.lines { try line.set(active: true) }
    for line in board.lines[8...] { try line.set(active: false) }
    board.bench.settle()
    // Four transfers each: levels, directions, and both read back.
    #expect(board.target.transfers == one + 4)
    #expect(board.pins.levels == 0x00FF && board.port.isSettled)
    #expect(board.watchers.allSatisfy { $0.news().count == 2 })
  }

  @Test("outputs come before sensors that wait for the same bus")
  func urgent() throws {
    let board = try ExpanderBoard()
    board.start()
    var level: OutputLevel?
    let sensors = (0..<5).map { _ in OtherWork { level = level ?? board.lines[0].level } }
    for sensor in sensors { board.queue.submit(sensor) }
    try board.lines[0].set(active: true)
    #expect(board.queue.run())
    #expect(level == .driven(true))
  }

  @Test(
    "after a restart pins go from what they were to their start levels at once, and others are left alone")
  func adoption() throws {
    let board = try ExpanderBoard(
      [Output(pin: 0, start: true), Output(pin: 1)],
      before: { _, target in
        // Pins 0, 1, 8 and 9 are driven; 1 and 9 are high.
        try target.write([0x14, 0b10, 0b10].span)
        try target.write([0x00, 0xFC, 0xFC].span)
      })
    let before = board.pins
    board.start()
    #expect(before == PinLevels(driven: 0x0303, levels: 0x0202))
    #expect(board.shown == [PinLevels(driven: 0x0303, levels: 0x0201)])
  }

  @Test("what the chip was left at is believed when it was read twice alike")
  func adoptionWithNoise() throws {
    let board = try ExpanderBoard(
      [Output(pin: 0)],
      before: { _, target in
        try target.write([0x14, 0, 0b10].span)
        try target.write([0x00, 0xFF, 0xFC].span)
        // The first answer: which pins are inputs.
        target.inject(.flippedBit(3), after: 3, count: 1)
      })
    board.start()
    #expect(board.pins == PinLevels(driven: 0x0301, levels: 0x0200) && board.port.isSettled)
  }

  @Test("while the chip does not answer it is tried every second, and each line hears of it once")
  func absent() throws {
    let board = try ExpanderBoard(
      [Output(pin: 0), Output(pin: 1)], timing: ExpanderTiming(lostAfter: .seconds(60)))
    board.start()
    for watcher in board.watchers { _ = watcher.news() }
    board.target.inject(.absent)
    try board.lines[0].set(active: true)
    board.bench.run(for: .milliseconds(5_500))
    #expect(board.watchers[0].news() == ["bus(HAL.BusError.noAcknowledge)"])
    #expect(board.watchers[1].news().isEmpty, "its level is what it was")
    #expect(board.lines[0].level == .pending(true) && board.lines[1].level == .driven(false))
    #expect(board.target.failures == 6 && !board.port.isSettled)
    board.target.heal()
    board.bench.run(for: .milliseconds(499))
    #expect(board.watchers[0].news().isEmpty)
    board.bench.run(for: .milliseconds(1))
    #expect(board.watchers[0].news() == ["driven on"] && board.pins.levels == 1)
    #expect(board.states.news() == [.holding, .failing(.bus(.noAcknowledge)), .holding])
  }

  @Test("a chip that is away at the start gets its start levels when it comes")
  func absentAtStart() throws {
    let board = try ExpanderBoard([Output(pin: 3, start: true)], before: { $1.inject(.absent) })
    board.start()
    #expect(board.watchers[0].news() == ["bus(HAL.BusError.noAcknowledge)"])
    board.bench.run(for: .seconds(10))
    #expect(board.lines[0].level == .unknown)
    board.target.heal()
    board.bench.run(for: .seconds(1))
    #expect(board.pins == PinLevels(driven: 8, levels: 8) && board.lines[0].level == .driven(true))
    for levels in board.shown { #expect(levels.levels == 8 & levels.driven) }
  }

  @Test("a first transfer that fails before the device starts is tried again after that")
  func absentBeforeStart() throws {
    let board = try ExpanderBoard(before: { $1.inject(.absent, count: 1) })
    board.port.open()
    #expect(board.queue.run())
    board.start()
    board.bench.run(for: .seconds(1))
    #expect(board.lines[0].level == .driven(false) && board.pins.driven == 1)
  }

  @Test("a transfer that hangs makes the level unknown after two seconds, and known when it ends")
  func hang() throws {
    let board = try ExpanderBoard([Output(pin: 0), Output(pin: 1)])
    board.start()
    for watcher in board.watchers { _ = watcher.news() }
    board.bench.busHangs = true
    try board.lines[0].set(active: true)
    board.bench.run(for: .milliseconds(1_999))
    #expect(board.lines.map(\.level) == [.pending(true), .driven(false)])
    board.bench.run(for: .milliseconds(1))
    #expect(board.lines.map(\.level) == [.unknown, .unknown])
    #expect(
      board.watchers.map { $0.news() } == [["bus(HAL.BusError.timeout)"], ["bus(HAL.BusError.timeout)"]])
    #expect(board.states.news() == [.holding, .lost(.bus(.timeout))])
    try board.lines[1].set(active: true)
    #expect(board.lines.map(\.level) == [.unknown, .pending(true)], "what is asked for now is on its way")
    try board.lines[0].set(active: false)
    board.bench.run(for: .seconds(60))
    board.bench.busHangs = false
    board.bench.settle()
    #expect(board.lines.map(\.level) == [.driven(false), .driven(true)] && board.pins.levels == 2)
    #expect(board.watchers.map { $0.news() } == [["driven off"], ["driven on"]])
  }

  @Test("a change that is taken back while it is under way is pending until the chip shows that")
  func takenBack() throws {
    let board = try ExpanderBoard()
    board.start()
    try board.lines[0].set(active: true)
    try board.lines[0].set(active: false)
    #expect(board.lines[0].level == .pending(false) && !board.port.isSettled)
    #expect(board.queue.run())
    #expect(board.pins.levels == 1 && board.lines[0].level == .pending(false))
    board.bench.settle()
    #expect(board.pins.levels == 0 && board.lines[0].level == .driven(false))
  }

  @Test("a change that failed may have come through: taken back, it is pending until the chip shows that")
  func takenBackAfterFailure() throws {
    let board = try ExpanderBoard()
    board.start()
    // Levels and directions are written, and not read back.
    board.target.inject(.absent, after: 2)
    try board.lines[0].set(active: true)
    board.bench.settle()
    #expect(board.pins.levels == 1 && board.lines[0].level == .pending(true))
    try board.lines[0].set(active: false)
    board.bench.settle()
    #expect(board.lines[0].level == .pending(false))
    board.target.heal()
    board.bench.run(for: .seconds(1))
    #expect(board.pins.levels == 0 && board.lines[0].level == .driven(false))
  }

  @Test("a chip that is not read back as written is written again, and its lines hear why")
  func flippedBitAfterWrite() throws {
    let board = try ExpanderBoard()
    board.start()
    _ = board.watchers[0].news()
    board.target.inject(.flippedBit(7), after: 2, count: 1)
    try board.lines[0].set(active: true)
    board.bench.settle()
    #expect(board.lines[0].level == .pending(true) && board.watchers[0].news() == ["notHeld"])
    board.bench.run(for: .seconds(1))
    #expect(board.lines[0].level == .driven(true) && board.watchers[0].news() == ["driven on"])
  }

  @Test("noise on one answer of the regular reading is no loss of power: nothing is written")
  func flippedBitInCheck() throws {
    let board = try ExpanderBoard()
    board.start()
    let before = board.target.transfers
    board.target.inject(.flippedBit(0), count: 1)
    board.bench.run(for: .seconds(5))
    // Both registers, twice.
    #expect(board.target.transfers == before + 4 && board.states.news() == [.holding])
  }

  @Test("a chip that has lost its power is set up again within five seconds, with no other level in between")
  func brownOut() throws {
    let board = try ExpanderBoard([Output(pin: 0, start: true), Output(pin: 1, activeLow: true)])
    board.start()
    board.bench.run(for: .seconds(60))
    #expect(board.shown.count == 1)
    board.model.losePower()
    #expect(board.pins.driven == 0)
    board.bench.run(for: .seconds(5))
    #expect(board.pins == PinLevels(driven: 3, levels: 3))
    for levels in board.shown { #expect(levels.levels == levels.driven & 3) }
    #expect(board.states.news() == [.holding, .restored])
    #expect(board.lines.map(\.level) == [.driven(true), .driven(false)])
  }

  @Test("a chip that was put into its other register layout is brought back")
  func otherBank() throws {
    let board = try ExpanderBoard([Output(pin: 0, start: true)])
    board.start()
    try board.target.write([0x0A, 0x80].span)
    board.bench.run(for: .seconds(5))
    try board.lines[0].set(active: false)
    board.bench.settle()
    #expect(board.pins == PinLevels(driven: 1, levels: 0) && board.lines[0].level == .driven(false))
  }

  @Test("a level that is known becomes unknown when the regular reading fails for two seconds")
  func checkFails() throws {
    let board = try ExpanderBoard([Output(pin: 0, start: true)])
    board.start()
    _ = board.watchers[0].news()
    board.target.inject(.hang)
    board.bench.run(for: .milliseconds(6_999))
    #expect(board.lines[0].level == .driven(true) && board.watchers[0].news().isEmpty)
    board.bench.run(for: .milliseconds(1))
    #expect(board.lines[0].level == .unknown && board.watchers[0].news() == ["bus(HAL.BusError.timeout)"])
    board.target.heal()
    board.bench.run(for: .seconds(1))
    #expect(board.lines[0].level == .driven(true) && board.watchers[0].news() == ["driven on"])
  }

  @Test("whichever transfer of a change is lost, the chip ends where it was to be, and never elsewhere")
  func everyTransfer() throws {
    for fault in [Fault.absent, .hang, .shortAnswer, .flippedBit(0), .flippedBit(15)] {
      for lost in 0..<14 {
        let board = try ExpanderBoard(
          [Output(pin: 0, start: true), Output(pin: 8, activeLow: true)],
          before: { $1.inject(fault, after: lost, count: 1) })
        board.start()
        try board.lines[1].set(active: true)
        board.bench.run(for: .seconds(2))
        #expect(board.pins == PinLevels(driven: 0x101, levels: 0x001), "\(fault), transfer \(lost)")
        #expect(board.port.isSettled)
        for levels in board.shown { #expect(levels.levels & 1 == levels.driven & 1) }
      }
    }
  }

  @Test("a pin can be taken once, and only if the chip has it")
  func claims() throws {
    let board = try ExpanderBoard([Output(pin: 3)])
    #expect(throws: LineError.busy) { _ = try board.port.output(3, activeLow: true, startsActive: false) }
    for pin in [-1, 16, 99] {
      #expect(throws: LineError.noSuchLine) {
        _ = try board.port.output(pin, activeLow: false, startsActive: false)
      }
    }
  }
}
