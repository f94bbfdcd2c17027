import DeviceBench
import DeviceRuntime
import HAL
import Modules
import Simulation
import Testing

/// A relay obeys, reports, and says when its line does not.
@Suite struct RelayTests {
  let line = SimulatedOutputLine(startsActive: false)
  let bench: DeviceBench

  init() throws {
    bench = try DeviceBench.make([Relay(name: "fan", gate: SafetyGate(line: line))])
    bench.start()
    _ = bench.news()
  }

  @Test(
    "it obeys ON, OFF, 1, 0, true and false in any case, and publishes its state",
    arguments: ["ON", "on", "oN", "1", "true", "TRUE", "True"],
    ["OFF", "off", "0", "false", "False"])
  func words(on: String, off: String) {
    for (word, active) in [(on, true), (on, true), (off, false), (off, false)] {
      bench.send(word, to: "fan")
      #expect(line.isActive == active)
      #expect(bench.retained("fan/state") == (active ? "ON" : "OFF"))
      #expect(bench.new(on: "fan/result") == [#"{"command":"\#(word)","result":"accepted"}"#])
      _ = bench.news()
    }
    #expect(line.changes == 2)
  }

  @Test("TOGGLE switches to the other state")
  func toggle() {
    for expected in [true, false, true] {
      bench.send("toggle", to: "fan")
      #expect(line.isActive == expected)
    }
  }

  @Test("a redelivered TOGGLE is refused, since it may have been obeyed; a redelivered ON is obeyed again")
  func redelivered() {
    bench.send("TOGGLE", to: "fan")
    bench.send("TOGGLE", to: "fan", duplicate: true)
    #expect(line.isActive && line.changes == 1)
    #expect(
      bench.new(on: "fan/result").last
        == #"{"command":"TOGGLE","result":"rejected","reason":"may have been obeyed already: use ON or OFF"}"#
    )
    bench.send("ON", to: "fan", duplicate: true)
    #expect(bench.new(on: "fan/result").last == #"{"command":"ON","result":"accepted"}"#)
  }

  @Test("it obeys the state of a JSON object")
  func json() {
    bench.send(#"{"state": "ON", "transition": 2}"#, to: "fan")
    #expect(bench.retained("fan/state") == "ON")
    bench.send("{\"state\":\"toggle\"}\n", to: "fan")
    #expect(bench.retained("fan/state") == "OFF")
    bench.send(#"{"lamp":{"state":"ON"}}"#, to: "fan")
    #expect(bench.retained("fan/state") == "OFF")
  }

  @Test("words of one's own are obeyed and published, and come before the usual ones")
  func ownWords() throws {
    let words = StateWords(on: "Open", off: "\"1\"")
    let bench = try DeviceBench.make([Relay(name: "gate", gate: SafetyGate(line: line), words: words)])
    bench.start()
    #expect(bench.retained("gate/state") == "\"1\"")
    for word in ["open", " Open\n", "ON", "true", #"{"state":"OPEN"}"#] {
      bench.send(word, to: "gate")
      #expect(bench.retained("gate/state") == "Open")
      bench.send("1", to: "gate")
      #expect(bench.retained("gate/state") == "\"1\"")
    }
    bench.send("closed", to: "gate")
    #expect(
      bench.new(on: "gate/result").last?.contains("unknown payload: use Open, \\\"1\\\" or TOGGLE") == true)
    bench.send("toggle", to: "gate")
    bench.send("toggle", to: "gate", duplicate: true)
    #expect(bench.new(on: "gate/result").last?.contains("already: use Open or \\\"1\\\"") == true)
  }

  @Test(
    "anything else changes nothing and is answered", arguments: ["", "O", "ONN", "O N", "2", "yes", "オン"])
  func unknown(payload: String) {
    bench.send(payload, to: "fan")
    #expect(line.changes == 0)
    #expect(
      bench.news() == [
        Published(
          "fan/result",
          #"{"command":"\#(payload)","result":"rejected","reason":"unknown payload: use ON, OFF or TOGGLE"}"#)
      ])
  }

  @Test("the first state is the line's start level", arguments: [false, true])
  func startState(active: Bool) throws {
    let line = SimulatedOutputLine(startsActive: active)
    let bench = try DeviceBench.make(
      [Relay(name: "fan", gate: SafetyGate(line: line, policy: SafetyPolicy(start: active)))])
    bench.start()
    #expect(bench.retained("fan/state") == (active ? "ON" : "OFF"))
    #expect(line.changes == 0)
  }

  @Test(
    "a line that refuses is the command's answer and the module's error, until it obeys again",
    arguments: [
      (.busy, "the line is held by another program"), (.chipGone, "the GPIO chip is gone"),
      (.noSuchLine, "the GPIO chip has no such line"),
      (.system(5), "the line cannot be used: system error 5"),
    ] as [(LineError, String)])
  func lineFault(fault: LineError, reason: String) {
    line.fault = fault
    bench.send("ON", to: "fan")
    #expect(
      bench.new(on: "fan/result") == [#"{"command":"ON","result":"rejected","reason":"\#(reason)"}"#])
    #expect(bench.retained("fan/error") == reason)
    #expect(bench.retained("fan/state") == "OFF")
    line.fault = nil
    bench.send("ON", to: "fan")
    #expect(bench.retained("fan/error") == nil)
    #expect(bench.retained("fan/state") == "ON")
  }

  @Test("two relays do not hear each other's commands")
  func apart() throws {
    let other = SimulatedOutputLine(startsActive: false)
    let bench = try DeviceBench.make([
      Relay(name: "fan", gate: SafetyGate(line: line)), Relay(name: "pump", gate: SafetyGate(line: other)),
    ])
    bench.start()
    bench.send("ON", to: "pump")
    #expect(other.isActive && !line.isActive)
  }

  func makePulsing(_ policy: SafetyPolicy = SafetyPolicy()) throws -> DeviceBench {
    let bench = try DeviceBench.make([
      Relay(name: "door", gate: SafetyGate(line: line, policy: policy), pulse: .milliseconds(500))
    ])
    bench.start()
    _ = bench.news()
    return bench
  }

  @Test("PULSE is on for its time, and no safety event")
  func pulse() throws {
    let bench = try makePulsing()
    bench.send("PULSE", to: "door")
    #expect(line.isActive)
    bench.run(for: .milliseconds(499))
    #expect(line.isActive)
    bench.run(for: .milliseconds(1))
    #expect(!line.isActive && line.changes == 2)
    #expect(bench.new(on: "door/result") == [#"{"command":"PULSE","result":"accepted"}"#])
    #expect(bench.retained("door/state") == "OFF")
  }

  @Test("a second PULSE begins it anew; ON makes it last, OFF ends it", arguments: ["PULSE", "ON", "OFF"])
  func pulseAgain(next: String) throws {
    let bench = try makePulsing()
    bench.send("PULSE", to: "door")
    bench.run(for: .milliseconds(400))
    bench.send(next, to: "door")
    #expect(line.isActive == (next != "OFF"))
    bench.run(for: .milliseconds(400))
    #expect(line.isActive == (next != "OFF"))
    bench.run(for: .seconds(60))
    #expect(line.isActive == (next == "ON"))
    #expect(line.changes == (next == "ON" ? 1 : 2))
  }

  @Test("a redelivered PULSE is refused; a relay without one does not know the word")
  func pulseRefused() throws {
    bench.send("PULSE", to: "fan")
    #expect(bench.new(on: "fan/result").last?.contains("unknown payload: use ON, OFF or TOGGLE\"") == true)
    let other = try makePulsing()
    other.send("PULSE", to: "door", duplicate: true)
    #expect(!line.isActive)
    other.send("nonsense", to: "door")
    #expect(other.new(on: "door/result").last?.contains("use ON, OFF, TOGGLE or PULSE") == true)
  }

  @Test("a pulse ends when its end was refused, as soon as the line obeys again")
  func pulseEnds() throws {
    let bench = try makePulsing()
    bench.send("PULSE", to: "door")
    line.fault = .busy
    bench.run(for: .seconds(10))
    #expect(line.isActive)
    line.fault = nil
    bench.run(for: .seconds(1))
    #expect(!line.isActive)
  }

  @Test("a limit that ends a pulse earlier ends it for good")
  func pulseLimited() throws {
    var policy = SafetyPolicy()
    policy.maxOn = .milliseconds(200)
    let bench = try makePulsing(policy)
    bench.send("PULSE", to: "door")
    bench.run(for: .milliseconds(250))
    #expect(!line.isActive)
    bench.send("ON", to: "door")
    bench.run(for: .milliseconds(150))
    #expect(line.isActive)
    bench.run(for: .seconds(60))
    #expect(!line.isActive && line.changes == 4)
  }
}
