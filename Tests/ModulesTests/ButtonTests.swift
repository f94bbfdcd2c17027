import DeviceBench
import DeviceRuntime
import HAL
import Modules
import Simulation
import Testing

/// A button says what its line is.
@Suite struct ButtonTests {
  let line = SimulatedInputLine()
  let bench: DeviceBench

  init() throws {
    bench = try DeviceBench.make([BinaryInput(name: "door", line: line)])
  }

  func drive(_ active: Bool, lost: UInt32 = 0) {
    line.drive(active: active, at: bench.clock.now, lost: lost)
    bench.settle()
  }

  @Test("the first state is the line's level at the start", arguments: [false, true])
  func startState(active: Bool) {
    line.drive(active: active, at: .zero)
    bench.start()
    #expect(bench.retained("door/state") == (active ? "ON" : "OFF"))
  }

  @Test("at debug every edge is logged with the time at which the kernel saw it")
  func debug() throws {
    let log = RecordingLog(level: .debug)
    let bench = try DeviceBench.make([BinaryInput(name: "door", line: line)], log: log)
    bench.start()
    bench.run(for: .seconds(2))
    line.drive(active: true, at: Instant(nanoseconds: 1_900_000_500))
    #expect(log.lines.last == "debug: 1.900000 door: edge, active")
  }

  @Test("it says words of one's own")
  func ownWords() throws {
    let bench = try DeviceBench.make([
      BinaryInput(name: "door", line: line, words: StateWords(on: "open", off: "closed"))
    ])
    bench.start()
    #expect(bench.retained("door/state") == "closed")
    line.drive(active: true, at: bench.clock.now)
    bench.settle()
    #expect(bench.retained("door/state") == "open")
  }

  @Test("every edge is published at once")
  func edges() {
    bench.start()
    _ = bench.news()
    for active in [true, false, true] {
      drive(active)
      #expect(bench.news() == [Published("door/state", active ? "ON" : "OFF", isState: true)])
    }
  }

  @Test("an edge while the broker is away is the state when it is back")
  func edgeWithoutBroker() {
    bench.start()
    bench.loseBroker()
    drive(true)
    bench.comeBack()
    #expect(bench.retained("door/state") == "ON")
  }

  @Test("edges that the kernel dropped are reported with their number")
  func lostEdges() {
    bench.start()
    drive(true, lost: 3)
    #expect(bench.new(on: "door/result") == [#"{"result":"lost","reason":"edges lost: 3"}"#])
    #expect(bench.retained("door/state") == "ON")
  }

  @Test("a line that fails is an error, its last level is not published as fresh, and an edge makes it well")
  func failure() {
    bench.start()
    line.fail(.chipGone)
    bench.settle()
    #expect(bench.retained("door/error") == "the GPIO chip is gone")
    _ = bench.news()
    bench.loseBroker()
    bench.comeBack()
    #expect(bench.new(on: "door/state").isEmpty)
    drive(true)
    #expect(bench.retained("door/error") == nil)
    #expect(bench.retained("door/state") == "ON")
  }

  @Test("a line that cannot be read at the start is an error, and has no state")
  func failsAtStart() {
    line.fault = .system(19)
    bench.start()
    #expect(bench.retained("door/error") == "the line cannot be used: system error 19")
    #expect(bench.retained("door/state") == nil)
  }

  @Test("a button takes no commands")
  func noCommands() {
    bench.start()
    bench.send("ON", to: "door")
    #expect(
      bench.new(on: "door/result")
        == [#"{"command":"ON","result":"rejected","reason":"this module takes no commands"}"#])
  }
}
