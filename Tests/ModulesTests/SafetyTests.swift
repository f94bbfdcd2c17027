import DeviceBench
import DeviceRuntime
import HAL
import Modules
import Simulation
import Testing

/// What an output does when nobody is in control.
@Suite struct SafetyTests {
  /// A relay `fan` with this policy, its device started and connected.
  struct Fan {
    let line: SimulatedOutputLine
    let bench: DeviceBench

    init(_ policy: SafetyPolicy, connected: Bool = true) throws {
      line = SimulatedOutputLine(startsActive: policy.start)
      bench = try DeviceBench.make([Relay(name: "fan", gate: SafetyGate(line: line, policy: policy))])
      bench.link.isDown = !connected
      bench.start()
      _ = bench.news()
    }

    func safetyReports() -> [String] {
      bench.new(on: "fan/result").filter { $0.contains(#""result":"safety""#) }
    }
  }

  static let lost = SafetyPolicy.Lost(after: .seconds(60), then: false)

  @Test(
    "at a stop the line goes to its stop level, or holds",
    arguments: [
      (false, false, false), (false, true, true), (true, false, false), (true, nil, true),
      (false, nil, false),
    ]
      as [(Bool, Bool?, Bool)])
  func stopLevel(on: Bool, stop: Bool?, expected: Bool) throws {
    let fan = try Fan(SafetyPolicy(start: on, stop: stop))
    fan.bench.device.stop()
    #expect(fan.line.isActive == expected)
    fan.bench.settle()
    #expect(fan.bench.retained("fan/state") == (expected ? "ON" : "OFF"))
    #expect(fan.bench.device.isStopped)
  }

  @Test("a line that refuses its stop level is an error on the broker, and the stop goes on")
  func stopFault() throws {
    let fan = try Fan(SafetyPolicy(start: true))
    fan.line.fault = .chipGone
    fan.bench.device.stop()
    fan.bench.settle()
    #expect(fan.bench.retained("fan/error") == "the GPIO chip is gone")
    #expect(fan.bench.retained("availability") == "offline" && fan.bench.device.isStopped)
  }

  @Test("after a minute without broker the output switches, not before, and the broker hears of it later")
  func brokerLost() throws {
    let fan = try Fan(SafetyPolicy(brokerLost: Self.lost))
    fan.bench.send("ON", to: "fan")
    fan.bench.loseBroker()
    fan.bench.run(for: .milliseconds(59_999))
    #expect(fan.line.isActive)
    fan.bench.run(for: .milliseconds(1))
    #expect(!fan.line.isActive)
    fan.bench.comeBack()
    #expect(fan.bench.retained("fan/state") == "OFF")
  }

  @Test("a broker that was never there is away from the start")
  func neverConnected() throws {
    let fan = try Fan(SafetyPolicy(start: true, brokerLost: Self.lost), connected: false)
    fan.bench.run(for: .milliseconds(59_999))
    #expect(fan.line.isActive)
    fan.bench.run(for: .milliseconds(1))
    #expect(!fan.line.isActive)
  }

  @Test("a broker that is back in time disarms it, and the next loss has its whole time again")
  func rearm() throws {
    let fan = try Fan(SafetyPolicy(start: true, brokerLost: Self.lost))
    for _ in 1...3 {
      fan.bench.loseBroker()
      fan.bench.run(for: .seconds(50))
      fan.bench.comeBack()
      fan.bench.run(for: .seconds(300))
      #expect(fan.line.isActive)
    }
    fan.bench.loseBroker()
    fan.bench.run(for: .seconds(60))
    #expect(!fan.line.isActive)
  }

  @Test("attempts that fail do not put off the moment")
  func failedAttempts() throws {
    let fan = try Fan(SafetyPolicy(start: true, brokerLost: Self.lost))
    fan.bench.loseBroker()
    fan.bench.link.isDown = false
    fan.bench.server.answer = .serverUnavailable
    fan.bench.run(for: .seconds(60))
    #expect(!fan.line.isActive && fan.bench.server.connects > 3)
  }

  @Test("broker_lost can switch on, and max_on watches over that too")
  func switchesOn() throws {
    let policy = SafetyPolicy(
      brokerLost: SafetyPolicy.Lost(after: .seconds(10), then: true), maxOn: .seconds(30))
    let fan = try Fan(policy)
    fan.bench.loseBroker()
    fan.bench.run(for: .seconds(10))
    #expect(fan.line.isActive)
    fan.bench.run(for: .milliseconds(29_999))
    #expect(fan.line.isActive)
    fan.bench.run(for: .milliseconds(1))
    #expect(!fan.line.isActive)
  }

  @Test("without broker_lost an output stays as it is, however long the broker is away")
  func staysWithoutPolicy() throws {
    let fan = try Fan(SafetyPolicy(start: true))
    fan.bench.loseBroker()
    fan.bench.run(for: .seconds(86_400))
    #expect(fan.line.isActive && fan.line.changes == 0)
  }

  @Test("max_on counts from switching on; ON again does not extend it, OFF and ON begins anew")
  func maxOn() throws {
    let fan = try Fan(SafetyPolicy(maxOn: .seconds(1_800)))
    fan.bench.send("ON", to: "fan")
    fan.bench.run(for: .seconds(1_799))
    fan.bench.send("ON", to: "fan")
    _ = fan.bench.news()
    fan.bench.run(for: .seconds(1))
    #expect(!fan.line.isActive)
    #expect(
      fan.bench.news() == [
        Published("fan/result", #"{"result":"safety","reason":"switched off: on for max_on = 30min"}"#),
        Published("fan/state", "OFF", isState: true),
      ])
    fan.bench.send("ON", to: "fan")
    fan.bench.run(for: .seconds(1_000))
    fan.bench.send("OFF", to: "fan")
    fan.bench.send("ON", to: "fan")
    fan.bench.run(for: .seconds(1_799))
    #expect(fan.line.isActive)
    fan.bench.run(for: .seconds(1))
    #expect(!fan.line.isActive)
  }

  @Test("max_on counts from the start for an output that starts on, with or without broker")
  func maxOnFromStart() throws {
    let fan = try Fan(SafetyPolicy(start: true, maxOn: .seconds(5)), connected: false)
    fan.bench.run(for: .seconds(5))
    #expect(!fan.line.isActive)
  }

  @Test("a safety act on an output that is already there says nothing")
  func nothingToDo() throws {
    let fan = try Fan(SafetyPolicy(brokerLost: Self.lost, maxOn: .seconds(5)))
    fan.bench.run(for: .seconds(600))
    #expect(fan.bench.news().isEmpty && fan.line.changes == 0)
  }

  @Test("a gate whose line refuses says so and tries every second until the output is where it must be")
  func retries() throws {
    let fan = try Fan(SafetyPolicy(maxOn: .seconds(60)))
    fan.bench.send("ON", to: "fan")
    fan.line.fault = .busy
    fan.bench.run(for: .seconds(60))
    #expect(fan.line.isActive)
    #expect(fan.bench.retained("fan/error") == "the line is held by another program")
    fan.bench.run(for: .milliseconds(4_500))
    fan.line.fault = nil
    #expect(fan.safetyReports().isEmpty)
    fan.bench.run(for: .milliseconds(500))
    #expect(!fan.line.isActive)
    #expect(fan.bench.retained("fan/error") == nil)
    #expect(fan.bench.retained("fan/state") == "OFF")
    #expect(fan.safetyReports().count == 1)
  }

  @Test("a gate that retries for a lost broker leaves it when the broker is back")
  func retriesForBroker() throws {
    let fan = try Fan(SafetyPolicy(start: true, brokerLost: Self.lost))
    fan.bench.loseBroker()
    fan.line.fault = .busy
    fan.bench.run(for: .seconds(62))
    fan.bench.comeBack()
    fan.line.fault = nil
    fan.bench.run(for: .seconds(300))
    #expect(fan.line.isActive)
  }

  @Test("what was done and why is in words", arguments: [true, false])
  func reasons(then: Bool) throws {
    let log = RecordingLog()
    let line = SimulatedOutputLine(startsActive: !then)
    let policy = SafetyPolicy(
      start: !then, brokerLost: SafetyPolicy.Lost(after: .seconds(90), then: then))
    let bench = try DeviceBench.make(
      [Relay(name: "fan", gate: SafetyGate(line: line, policy: policy))], log: log)
    bench.link.isDown = true
    bench.start()
    bench.run(for: .seconds(90))
    #expect(
      log.lines.last == "warning: fan: switched \(then ? "on" : "off"): the broker has been away for 90s")
  }
}
