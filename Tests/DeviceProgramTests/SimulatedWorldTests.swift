import DeviceBench
import DeviceProgram
import DeviceRuntime
import HAL
import Simulation
import Testing

@testable import SimulatedBoard

/// What is around a simulated board, touched over its topics, on a virtual clock.
@Suite struct SimulatedWorldTests {
  static let greenhouse = """
      - relay: fan
        line: A
        safety: { start: off, stop: off }
      - contact: door
        line: B
      - sensor: air
        driver: SHT3x
        bus: i2c-1
        every: 10s

    """

  struct World {
    let board: SimulatedBoard
    let bench: DeviceBench
    let log = RecordingLog()

    init(_ modules: String = greenhouse) throws {
      let clock = VirtualClock()
      let queue = SimulatedWorkQueue()
      board = SimulatedBoard(ChipModel.all, clock: clock) { _ in queue }
      let hardware = board.hardware
      let composition = Composition(
        configuration: try CompositionTests.configuration(modules), hardware: hardware, clock: clock, log: log
      )
      #expect(composition.open().isEmpty)
      let device = try #require(composition.device(randomSeed: 1))
      for part in hardware.parts() { device.add(part) }
      bench = DeviceBench(clock: clock, queue: queue, device: device)
      bench.start()
    }

    /// What is answered to a command below `sim`.
    func touch(_ thing: String, _ payload: String, again: Bool = false) -> String? {
      _ = bench.news()
      let path = thing.isEmpty ? "sim" : "sim/\(thing)"
      bench.send(payload, to: path, duplicate: again)
      let name = path.split(separator: "/").prefix(2).joined(separator: "/")
      let answers = bench.news().filter { $0.topic == "\(name)/result" }.map(\.payload)
      #expect(answers.count == 1)
      return answers.first
    }

    func accepts(_ thing: String, _ payload: String) -> Bool {
      touch(thing, payload) == #"{"command":"\#(payload)","result":"accepted"}"#
    }

    func reason(_ thing: String, _ payload: String, again: Bool = false) -> String? {
      let answer = touch(thing, payload, again: again)
      return answer?.components(after: #""result":"rejected","reason":""#)
    }

    /// The next reading of a channel.
    func reading(_ topic: String) -> String? {
      _ = bench.news()
      bench.run(for: .seconds(11))
      return bench.news().last { $0.topic == topic }?.payload
    }
  }

  @Test("an input is pressed and let go")
  func inputs() throws {
    let world = try World()
    #expect(world.accepts("door", "ON") && world.bench.retained("door/state") == "ON")
    #expect(world.accepts("door", "off") && world.bench.retained("door/state") == "OFF")
    #expect(world.accepts("door", "TOGGLE") && world.bench.retained("door/state") == "ON")
    #expect(world.accepts("door", "OFF") && world.accepts("door", "PRESS"))
    #expect(world.bench.retained("door/state") == "ON")
    world.bench.run(for: .milliseconds(200))
    #expect(world.bench.retained("door/state") == "OFF")
  }

  @Test("what is set is measured until it is left to itself")
  func channels() throws {
    let world = try World()
    let before = try #require(world.reading("air/temperature"))
    #expect(world.accepts("air/temperature", "31.5"))
    #expect(world.reading("air/temperature")?.hasPrefix("31.5") == true)
    #expect(world.accepts("air/humidity", "12") && world.accepts("air/temperature", "-7.25"))
    #expect(world.reading("air/temperature")?.hasPrefix("-7.2") == true)
    #expect(world.reading("air/humidity")?.hasPrefix("12.0") == true)
    #expect(world.accepts("air/temperature", "auto"))
    let after = try #require(world.reading("air/temperature"))
    #expect(after.prefix(2) == before.prefix(2))
    #expect(world.accepts("air/humidity", ""))
    #expect(world.reading("air/humidity")?.hasPrefix("12.0") == false)
  }

  @Test("a chip that is unplugged is an error, and measures again once it is plugged in")
  func chips() throws {
    let world = try World()
    #expect(world.accepts("air/fault", "no_acknowledge"))
    #expect(world.reading("air/temperature") == nil)
    #expect(
      world.bench.retained("air/error")
        == "target 0x44 on /dev/i2c-1 does not answer: look at its wiring, power and address")
    #expect(world.accepts("air/temperature", "31.5") && world.accepts("air/fault", "none"))
    world.bench.run(for: .seconds(60))
    #expect(world.bench.retained("air/error") == nil)
    #expect(world.reading("air/temperature")?.hasPrefix("31.5") == true)
  }

  @Test("every fault is one of the sensor's errors, and over when it is over")
  func faults() throws {
    for word in ["no_acknowledge", "busy", "timeout", "short_answer", "noise"] {
      let world = try World()
      #expect(world.accepts("air/fault", word))
      #expect(world.reading("air/temperature") == nil && world.bench.retained("air/error") != nil, "\(word)")
      #expect(world.accepts("", "reset"))
      world.bench.run(for: .seconds(60))
      #expect(world.reading("air/temperature") != nil && world.bench.retained("air/error") == nil, "\(word)")
    }
    let world = try World()
    #expect(world.accepts("air/fault", "wrong_identity") && world.accepts("air/fault", "never_ready"))
  }

  @Test("a line that fails is the relay's error")
  func lines() throws {
    let world = try World()
    #expect(world.accepts("fan/fault", "gone"))
    world.bench.send("ON", to: "fan")
    #expect(world.bench.retained("fan/error") != nil && world.board.output("fan")?.isActive == false)
    #expect(world.accepts("fan/fault", "none"))
    world.bench.send("ON", to: "fan")
    #expect(world.bench.retained("fan/state") == "ON" && world.bench.retained("fan/error") == nil)
  }

  @Test("what is not there or cannot be is answered with what can")
  func mistakes() throws {
    let world = try World()
    #expect(world.reason("door", "open") == "unknown payload: use ON, OFF, TOGGLE or PRESS")
    #expect(world.reason("door", "TOGGLE", again: true) == "may have been obeyed already: use ON or OFF")
    let number = "not a number: use one in °C such as 31.5, or auto for what it is by itself"
    for payload in ["warm", "3,5", "31.5 C", "--1", ".", "1e3"] {
      #expect(world.reason("air/temperature", payload) == number)
    }
    #expect(
      world.reason("air/humidity", "1000000.001")
        == "no world is like that: use a number from -1000000 to 1000000")
    let faults = "none, no_acknowledge, busy, timeout, short_answer, noise, wrong_identity or never_ready"
    #expect(world.reason("air/fault", "fire") == "unknown fault: use \(faults)")
    #expect(world.accepts("air/fault", "no_acknowledge") && world.accepts("air/fault", ""))
    #expect(world.reason("fan/fault", "noise") == "unknown fault: use none, busy or gone")
    let parts = "use sim/air/temperature/set, sim/air/humidity/set or sim/air/fault/set"
    #expect(world.reason("air/pressure", "1") == "nothing of that name is simulated: \(parts)")
    #expect(world.reason("air", "1") == "nothing of that name is simulated: \(parts)")
    #expect(world.reason("fan", "ON") == "nothing of that name is simulated: use sim/fan/fault/set")
    #expect(world.reason("door/fault", "gone") == "nothing of that name is simulated: use sim/door/set")
    #expect(world.reason("pump", "ON") == "nothing of that name is simulated: there is fan, door and air")
    #expect(world.reason("", "ON") == "unknown payload: use reset")
    #expect(
      world.reason("door", String(repeating: "x", count: 600)) == "the payload is longer than 512 bytes")
    #expect(world.bench.retained("door/state") == "OFF")
    #expect(
      world.log.lines.contains(
        #"warning: sim/door: command "open" rejected: unknown payload: use ON, OFF, TOGGLE or PRESS"#))
  }

  @Test("what was retained for the world in the past is refused as any command is")
  func retained() throws {
    let world = try World()
    world.bench.loseBroker()
    world.bench.send("ON", to: "sim/door", retain: true)
    world.bench.send("no_acknowledge", to: "sim/air/fault", retain: true)
    _ = world.bench.news()
    world.bench.comeBack()
    let answers = world.bench.news().filter { $0.topic.hasSuffix("/result") }
    #expect(Set(answers.map(\.topic)) == ["sim/door/result", "sim/air/result"])
    #expect(answers.allSatisfy { $0.payload.contains("retained commands are not obeyed") })
    #expect(world.bench.retained("door/state") == "OFF" && world.reading("air/temperature") != nil)
  }

  @Test("no world that can be set stops a program")
  func extremes() throws {
    var sensors = 0
    for model in ChipModel.all {
      let modules = "  - sensor: it\n    driver: \(model.chip)\n    bus: i2c-1\n    every: 1s\n"
      guard let world = try? World(modules) else { continue }
      let channels = world.bench.device.modules[0].entities.map { "it/\($0.key)" }
      for payload in ["1000000", "-1000000", "0", "999999.999"] {
        for channel in channels { #expect(world.accepts(channel, payload), "\(model.chip)") }
        world.bench.run(for: .seconds(5))
      }
      sensors += 1
    }
    #expect(sensors >= 6)
  }

  @Test("two sensors are each in air of their own")
  func corners() throws {
    let sensor = "driver: SHT3x\n    bus: i2c-1\n    every: 10s\n"
    let world = try World(
      "  - sensor: a\n    \(sensor)    address: 0x44\n  - sensor: b\n    \(sensor)    address: 0x45\n")
    #expect(world.accepts("a/temperature", "40"))
    #expect(world.reading("a/temperature")?.hasPrefix("40.0") == true)
    #expect(world.reading("b/temperature")?.hasPrefix("40.0") == false)
  }

  @Test("a module called sim is in its own right, and the log says what that costs")
  func namesake() throws {
    let world = try World("  - relay: sim\n    line: A\n    safety: { start: off, stop: off }\n")
    world.bench.send("ON", to: "sim")
    #expect(world.bench.retained("sim/state") == "ON")
    #expect(
      world.log.lines.contains("warning: sim: a module is called that, so that nothing else is reached there")
    )
  }

  @Test("a device without a world has nothing below sim")
  func withoutWorld() throws {
    let device = try CompositionTests.Device(Self.greenhouse)
    device.bench.send("ON", to: "sim/door")
    #expect(device.bench.retained("door/state") == "OFF" && device.bench.new(on: "sim/door/result").isEmpty)
  }
}

extension String {
  /// What follows the first part, without the `"}` at the end.
  fileprivate func components(after start: String) -> String? {
    guard let range = firstRange(of: start) else { return nil }
    return String(self[range.upperBound...].dropLast(2))
  }
}
