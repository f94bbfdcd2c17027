import DeviceBench
import DeviceRuntime
import HAL
import Simulation
import Testing

/// A gate between its module, its device and its line.
@Suite struct SafetyGateTests {
  /// A module with outputs that it switches one by one or all at once.
  final class Outputs: Module, SafetyGateObserver {
    let name = "fan"
    let entities = [Entity(.switch, access: [.state, .command])]
    let gates: [SafetyGate]
    /// What was confirmed, in order; and the stop.
    private(set) var changes: [String] = []

    init(_ gates: [SafetyGate]) { self.gates = gates }

    func start(on device: Device) {
      for gate in gates { gate.start(on: device, for: self, observer: self) }
    }

    func write(_ entity: Int, to text: inout FixedText) -> Bool {
      guard let active = gates[0].confirmed else { return false }
      text.append(active ? "ON" : "OFF")
      return true
    }

    func obey(_ command: Command) -> CommandAnswer {
      gates[0].ask(command.payload.matches("ON"), for: command)
    }
    func gateChanged(_ gate: SafetyGate) { changes.append(gate.confirmed == true ? "on" : "off") }
    func stop() { changes.append("stop") }
  }

  /// `fan` with one output, its device started and connected.
  struct Fan {
    let line: HistoryLine
    let module: Outputs
    let bench: DeviceBench
    var gate: SafetyGate { module.gates[0] }

    init(_ policy: SafetyPolicy = SafetyPolicy(), queued: Bool = false) throws {
      line = HistoryLine(isQueued: queued, start: policy.start)
      module = Outputs([SafetyGate(line: line, policy: policy)])
      bench = try DeviceBench.make([module])
      bench.start()
      confirm()
      _ = bench.news()
    }

    func confirm() {
      line.confirm()
      bench.settle()
    }

    func results() -> [String] { bench.news().filter { $0.topic == "fan/result" }.map(\.payload) }
  }

  private func reason(_ answer: CommandAnswer) -> String? {
    guard case .rejected(let reason) = answer else { return nil }
    return reason.string
  }

  // MARK: the device's part

  @Test("a stop comes to the gates first; afterwards they refuse whoever asks, and nothing switches any more")
  func stop() throws {
    let lost = SafetyPolicy.Lost(after: .seconds(1), then: true)
    let fan = try Fan(SafetyPolicy(start: true, brokerLost: lost, maxOn: .seconds(1)))
    fan.bench.server.withholdsAcknowledgements = true
    fan.bench.device.stop()
    #expect(fan.module.changes == ["off", "stop"])
    for source: CommandSource in [.broker, .person, .rule, .module] {
      #expect(reason(fan.gate.ask(true, by: source)) == "the device is stopping")
    }
    fan.bench.loseBroker()
    fan.bench.run(for: .seconds(60))
    #expect(!fan.line.isOn && fan.line.tries.count == 1)
  }

  @Test("a gate that has not been started refuses")
  func notStarted() {
    let line = HistoryLine(isQueued: false, start: false)
    let gate = SafetyGate(line: line)
    #expect(reason(gate.ask(true, by: .person)) == "the device has not started" && line.tries.isEmpty)
  }

  @Test("while the broker is away too long a rule is refused with the reason, and obeyed when it is back")
  func brokerLost() throws {
    let lost = SafetyPolicy.Lost(after: .seconds(60), then: false)
    let fan = try Fan(SafetyPolicy(start: true, brokerLost: lost))
    fan.bench.loseBroker()
    fan.bench.run(for: .seconds(59))
    #expect(reason(fan.gate.ask(true, by: .rule)) == nil)
    fan.bench.run(for: .seconds(1))
    #expect(!fan.line.isOn)
    #expect(reason(fan.gate.ask(true, by: .rule)) == "the broker is away: broker_lost holds it off")
    fan.bench.comeBack()
    #expect(!fan.line.isOn)
    #expect(reason(fan.gate.ask(true, by: .rule)) == nil && fan.line.isOn)
  }

  @Test("a controller that is away holds too, with its own words")
  func controllerLost() throws {
    let fan = try Fan(
      SafetyPolicy(start: true, controllerLost: SafetyPolicy.Lost(after: .seconds(60), then: false)))
    fan.bench.device.controllerLost()
    fan.bench.run(for: .seconds(60))
    #expect(
      fan.results() == [
        #"{"result":"safety","reason":"switched off: the controller has been away for 1min"}"#
      ]
    )
    fan.bench.send("ON", to: "fan")
    #expect(
      fan.results() == [
        #"{"command":"ON","result":"rejected","reason":"the controller is away: controller_lost holds it off"}"#
      ])
    fan.bench.device.controllerFound()
    fan.bench.send("ON", to: "fan")
    #expect(fan.line.isOn)
  }

  @Test("a module of two outputs is well again when both are")
  func twoFaults() throws {
    let lines = [false, false].map { HistoryLine(isQueued: false, start: $0) }
    let module = Outputs(lines.map { SafetyGate(line: $0) })
    let bench = try DeviceBench.make([module])
    bench.start()
    for line in lines { line.fails = true }
    for gate in module.gates { _ = gate.ask(true, by: .rule) }
    for line in lines {
      bench.settle()
      #expect(bench.retained("fan/error") == "the line is held by another program")
      line.fails = false
      _ = module.gates[line === lines[0] ? 0 : 1].ask(true, by: .rule)
    }
    bench.settle()
    #expect(bench.retained("fan/error") == nil)
  }

  // MARK: a line behind a bus

  @Test("a command is answered, and the state published, when the chip has the value")
  func later() throws {
    let fan = try Fan(queued: true)
    fan.bench.send("ON", to: "fan")
    fan.bench.run(for: .milliseconds(1_999))
    #expect(fan.bench.news().isEmpty && fan.gate.confirmed == false && fan.gate.isActive)
    fan.confirm()
    #expect(
      fan.bench.news() == [
        Published("fan/result", #"{"command":"ON","result":"accepted"}"#),
        Published("fan/state", "ON", isState: true),
      ])
    #expect(fan.module.changes == ["off", "on"])
  }

  @Test("before the chip has answered for the first time there is no state, and after 2 s there is an error")
  func firstLevel() throws {
    let line = HistoryLine(isQueued: true, start: false)
    let bench = try DeviceBench.make([Outputs([SafetyGate(line: line)])])
    bench.start()
    bench.run(for: .seconds(2))
    #expect(bench.retained("fan/state") == nil)
    #expect(bench.retained("fan/error") == "the bus that leads to the line's chip fails")
    line.confirm()
    bench.settle()
    #expect(bench.retained("fan/state") == "OFF" && bench.retained("fan/error") == nil)
  }

  @Test(
    "a bus that hangs for 2 s is the command's answer and an error; a rejected command is not obeyed later")
  func hangs() throws {
    let fan = try Fan(queued: true)
    fan.bench.send("ON", to: "fan")
    fan.bench.run(for: .seconds(2))
    #expect(fan.results() == [#"{"command":"ON","result":"rejected","reason":"the bus hangs"}"#])
    #expect(fan.bench.retained("fan/error") == "the bus that leads to the line's chip fails")
    fan.bench.run(for: .seconds(600))
    fan.confirm()
    #expect(!fan.line.isOn && fan.bench.retained("fan/error") == nil)
    #expect(fan.bench.news().allSatisfy { $0.topic != "fan/result" })
  }

  @Test("a chip that does not acknowledge is an error at once, and the command waits for the next attempt")
  func failsOnce() throws {
    let fan = try Fan(queued: true)
    fan.bench.send("ON", to: "fan")
    fan.line.lose(forgets: false)
    fan.bench.settle()
    #expect(fan.bench.retained("fan/error") == "the bus that leads to the line's chip fails")
    #expect(fan.results().isEmpty)
    fan.confirm()
    #expect(fan.results() == [#"{"command":"ON","result":"accepted"}"#])
    #expect(fan.bench.retained("fan/error") == nil)
  }

  @Test("a newer command is the older one's answer")
  func superseded() throws {
    let fan = try Fan(queued: true)
    fan.bench.send("ON", to: "fan")
    fan.bench.send("OFF", to: "fan")
    #expect(
      fan.results() == [#"{"command":"ON","result":"rejected","reason":"superseded by a newer command"}"#])
    fan.confirm()
    #expect(fan.results() == [#"{"command":"OFF","result":"accepted"}"#] && !fan.line.isOn)
  }

  @Test("whoever wishes the same without a command lets the command wait, and the bus its 2 s")
  func sameWish() throws {
    let fan = try Fan(queued: true)
    fan.bench.send("ON", to: "fan")
    for _ in 0..<3 {
      fan.bench.run(for: .milliseconds(500))
      _ = fan.gate.ask(true, by: .rule)
    }
    #expect(fan.results().isEmpty)
    fan.bench.run(for: .milliseconds(500))
    #expect(fan.results() == [#"{"command":"ON","result":"rejected","reason":"the bus hangs"}"#])
  }

  @Test("a safety act overtakes a command that waits, and is reported when the chip has it")
  func overtaken() throws {
    let fan = try Fan(SafetyPolicy(maxOn: .seconds(1)), queued: true)
    fan.bench.send("ON", to: "fan")
    fan.bench.run(for: .seconds(1))
    #expect(
      fan.results() == [
        #"{"command":"ON","result":"rejected","reason":"switched off: on for max_on = 1s"}"#
      ])
    fan.bench.run(for: .seconds(1))
    fan.confirm()
    #expect(fan.results() == [#"{"result":"safety","reason":"switched off: on for max_on = 1s"}"#])
  }

  @Test("a rejected OFF is not withdrawn into an output that must be off by now")
  func withdrawnSafely() throws {
    let fan = try Fan(SafetyPolicy(start: true, maxOn: .seconds(1)), queued: true)
    fan.bench.send("OFF", to: "fan")
    fan.bench.run(for: .seconds(60))
    fan.confirm()
    #expect(!fan.line.isOn && fan.line.tries.allSatisfy { !$0.active })
  }

  @Test("a stop waits for the chip, with or without a broker, and for 2 s at most", arguments: [true, false])
  func stopWaits(confirms: Bool) throws {
    for connected in [true, false] {
      let fan = try Fan(SafetyPolicy(start: true), queued: true)
      if !connected { fan.bench.loseBroker() }
      fan.bench.device.stop()
      fan.bench.settle()
      #expect(!fan.bench.device.isStopped)
      if connected { #expect(fan.bench.retained("availability") == "online") }
      if confirms { fan.confirm() } else { fan.bench.run(for: .seconds(2)) }
      #expect(fan.bench.device.isStopped)
      if connected && confirms {
        #expect(fan.bench.retained("fan/state") == "OFF" && fan.bench.retained("availability") == "offline")
      }
    }
  }

  @Test("a command that waits when the device stops hears of it")
  func stopAnswers() throws {
    let fan = try Fan(queued: true)
    fan.bench.send("ON", to: "fan")
    fan.bench.device.stop()
    fan.bench.settle()
    #expect(fan.results() == [#"{"command":"ON","result":"rejected","reason":"the device is stopping"}"#])
    fan.confirm()
    #expect(!fan.line.isOn)
  }
}
