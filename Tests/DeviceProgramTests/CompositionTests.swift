import Boards
import Configuration
import DeviceBench
import DeviceFile
import DeviceProgram
import DeviceRuntime
import HAL
import MQTTConnection
import Modules
import SimulatedBoard
import Simulation
import Testing

/// A device out of its file: what is claimed is opened, or said.
@Suite struct CompositionTests {
  /// Boards from memory.
  final class Surroundings: ConfigurationSurroundings {
    func variable(_ name: String) -> String? { nil }
    func secretsFile() -> SourceFile? { nil }
    func boardNames() -> [String] { ["bench"] }
    func headerFile(_ name: String) -> SourceFile? { nil }

    func boardFile(_ name: String) -> SourceFile? {
      let text = """
        board: bench
        title: Bench
        simulated: yes
        chip: bench
        lines: [{ line: A }, { line: B }, { line: C }]
        buses: [{ bus: i2c-1 }]
        """
      return SourceFile(name: "bench.yaml", bytes: Array(text.utf8))
    }
  }

  static func configuration(
    _ modules: String, transports: [MQTTTransport] = MQTTTransport.all, mqtt: String = "mqtt://h"
  ) throws(ConfigurationErrors) -> DeviceConfiguration {
    let text = "device: den\nroot: home\nboard: bench\nmqtt: \(mqtt)\nmodules:\n\(modules)"
    return try DeviceConfiguration.load(
      SourceFile(name: "device.yaml", bytes: Array(text.utf8)),
      features: ConfigurationFeatures(
        kinds: ModuleKind.all, transports: transports, hasOutbox: false, hasScram: false),
      surroundings: Surroundings())
  }

  /// A device on a simulated board and a virtual clock.
  struct Device {
    let board: SimulatedBoard
    let bench: DeviceBench

    init(_ modules: String) throws {
      let clock = VirtualClock()
      let queue = SimulatedWorkQueue()
      let board = SimulatedBoard(ChipModel.all, clock: clock) { _ in queue }
      let composition = Composition(
        configuration: try configuration(modules), hardware: board.hardware, clock: clock, log: RecordingLog()
      )
      #expect(composition.open().isEmpty)
      let device = try #require(composition.device(randomSeed: 1))
      bench = DeviceBench(clock: clock, queue: queue, device: device)
      self.board = board
      bench.start()
    }
  }

  @Test("a module whose hardware cannot be opened is an error with its name, never silently left out")
  func nothingVanishes() throws {
    let modules = """
        - relay: fan
          line: A
        - contact: door
          line: B
        - sensor: air
          driver: SHT3x
          bus: i2c-1
      """
    let composition = Composition(
      configuration: try Self.configuration(modules), hardware: Hardware(), clock: VirtualClock(),
      log: RecordingLog())
    #expect(
      composition.open().map(\.text.text) == [
        "relay 'fan': this program was built without lines",
        "contact 'door': this program was built without lines",
        "sensor 'air': this program was built without I2C",
      ])
    let board = SimulatedBoard([], clock: VirtualClock()) { _ in SimulatedWorkQueue() }
    let withoutModel = Composition(
      configuration: try Self.configuration(modules), hardware: board.hardware, clock: VirtualClock(),
      log: RecordingLog())
    #expect(withoutModel.open().map(\.text.text) == ["sensor 'air': there is no model of SHT3x"])
  }

  @Test("button, contact and binary are the same under three names")
  func contacts() throws {
    let device = try Device(
      "  - button: a\n    line: A\n  - contact: b\n    line: B\n  - binary: c\n    line: C\n")
    for name in ["a", "b", "c"] {
      let line = try #require(device.board.input(name))
      line.drive(active: true, at: device.bench.clock.now)
      device.bench.settle()
      #expect(device.bench.retained("\(name)/state") == "ON")
      line.drive(active: false, at: device.bench.clock.now)
      device.bench.settle()
      #expect(device.bench.retained("\(name)/state") == "OFF")
    }
  }

  @Test("what a program was built without is an error in its device file")
  func features() {
    func errors(_ mqtt: String) -> [String] {
      do throws(ConfigurationErrors) {
        _ = try Self.configuration("  []\n", transports: [], mqtt: mqtt)
        return []
      } catch {
        return error.list.map(\.text)
      }
    }
    #expect(errors("mqtt://h") == [])
    #expect(errors("mqtts://h") == ["device.yaml:4:7: this program was built without mqtts://"])
    #expect(errors("ws://h") == ["device.yaml:4:7: this program was built without ws://"])
    #expect(
      errors("{ url: mqtt://h, username: u, password: p, auth: scram-sha-256 }") == [
        "device.yaml:4:56: this program was built without SCRAM"
      ])
    #expect(
      errors("{ url: mqtt://h, outbox: { path: /o.db } }").contains(
        "device.yaml:4:32: this program was built without an outbox"))
  }

  static let relays = """
      - expander: relays
        driver: MCP23017
        bus: i2c-1
        enable: { line: A }
      - relay: fan
        line: relays.3
        active: low
        safety: { start: off, stop: off, max_on: 30s }

    """

  @Test("a relay on an expander obeys when its chip has acknowledged, with a gate as any other")
  func expander() throws {
    let device = try Device(Self.relays)
    let bench = device.bench
    #expect(bench.retained("fan/state") == "OFF")
    #expect(device.board.output("relays")?.isActive == true, "enabled after the first transfer")
    _ = bench.news()
    bench.busHangs = true
    bench.send("ON", to: "fan")
    #expect(bench.new(on: "fan/result").isEmpty && bench.retained("fan/state") == "OFF")
    bench.busHangs = false
    bench.settle()
    #expect(bench.new(on: "fan/result") == [#"{"command":"ON","result":"accepted"}"#])
    #expect(bench.retained("fan/state") == "ON")
    bench.run(for: .seconds(31))
    #expect(bench.retained("fan/state") == "OFF", "max_on")
  }

  @Test("a bus that is gone is the expander's error, and its outputs are cut off by the enable line")
  func lostBus() throws {
    let device = try Device(Self.relays)
    let bench = device.bench
    bench.send("ON", to: "fan")
    let chip = try #require(device.board.target("relays"))
    chip.inject(.absent)
    bench.run(for: .seconds(10))
    #expect(device.board.output("relays")?.isActive == false)
    #expect(
      bench.retained("relays/error")
        == "target 0x20 on /dev/i2c-1 does not answer: look at its wiring, power and address")
    chip.heal()
    bench.run(for: .seconds(2))
    #expect(device.board.output("relays")?.isActive == true && bench.retained("relays/error") == nil)
    #expect(bench.retained("fan/state") == "ON")
    bench.device.stop()
    bench.run(for: .seconds(1))
    #expect(device.board.output("relays")?.isActive == false && bench.retained("fan/state") == "OFF")
    #expect(bench.device.isStopped)
  }
}
