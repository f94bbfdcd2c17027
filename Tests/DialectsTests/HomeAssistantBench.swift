import Boards
import Configuration
import DeviceBench
import DeviceFile
import DeviceProgram
import DeviceRuntime
import Dialects
import Foundation
import HAL
import Loopback
import MQTTConnection
import Modules
import SimulatedBoard
import Simulation

/// Boards from memory.
final class BoardFromMemory: ConfigurationSurroundings {
  func variable(_ name: String) -> String? { nil }
  func secretsFile() -> SourceFile? { nil }
  func boardNames() -> [String] { ["bench"] }
  func headerFile(_ name: String) -> SourceFile? { nil }

  func boardFile(_ name: String) -> SourceFile? {
    let lines = (0..<60).map { "{ line: L\($0) }" }.joined(separator: ", ")
    let text =
      "board: bench\ntitle: Bench\nsimulated: yes\nchip: bench\nlines: [\(lines)]\nbuses: [{ bus: i2c-1 }]\n"
    return SourceFile(name: "bench.yaml", bytes: Array(text.utf8))
  }
}

func load(_ modules: String, _ settings: String?, keys: String = "root: home\n") throws(ConfigurationErrors)
  -> DeviceConfiguration
{
  let settings = settings.map { "home_assistant: \($0)\n" } ?? ""
  let text = "device: den\n\(keys)board: bench\nmqtt: mqtt://h\n\(settings)modules:\n\(modules)"
  return try DeviceConfiguration.load(
    SourceFile(name: "device.yaml", bytes: Array(text.utf8)),
    features: ConfigurationFeatures(
      kinds: ModuleKind.all, transports: [], hasOutbox: false, hasScram: false,
      dialect: DialectList([TopicNames(), HomeAssistant()])),
    surroundings: BoardFromMemory())
}

/// The root is `home` where nothing else is said.
private func withRoot(_ keys: String) -> String {
  keys.contains("topic_prefix") ? keys : keys + "root: home\n"
}

/// What is wrong with a device file: line and text of each error.
func errors(_ modules: String, _ settings: String? = "yes", keys: String = "") -> [String] {
  do throws(ConfigurationErrors) {
    _ = try load(modules, settings, keys: withRoot(keys))
    return []
  } catch {
    return error.list.map(\.text)
  }
}

/// A device that Home Assistant is told of, on a virtual clock.
struct HomeAssistantBench {
  let board: SimulatedBoard
  let bench: DeviceBench
  let description: DeviceDescription

  init(
    _ modules: String, _ settings: String = "yes", keys: String = "",
    prepare: (LoopbackServer) -> Void = { _ in }
  ) throws {
    let clock = VirtualClock()
    let queue = SimulatedWorkQueue()
    let board = SimulatedBoard(ChipModel.all, clock: clock) { _ in queue }
    let composition = Composition(
      configuration: try load(modules, settings, keys: withRoot(keys)), hardware: board.hardware,
      clock: clock, log: RecordingLog())
    guard composition.open().isEmpty, let device = composition.device(randomSeed: 1) else {
      throw BenchError.incomplete
    }
    description = composition.configuration.device
    if let dialect = description.dialect {
      device.speak(dialect, board: composition.configuration.board.title)
    }
    bench = DeviceBench(clock: clock, queue: queue, device: device)
    self.board = board
    prepare(bench.server)
    bench.start()
  }

  enum BenchError: Error { case incomplete }

  /// The topics of the documents that were published, in order.
  var announced: [String] {
    bench.server.published.map(\.topic).filter { $0.hasSuffix("/config") }
  }

  func document(_ topic: String) throws -> [String: Any] {
    let payload = bench.server.retained[topic]?.payload ?? []
    return try JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any] ?? [:]
  }

  func components() throws -> [String: [String: Any]] {
    try document("homeassistant/device/home_den/config")["cmps"] as? [String: [String: Any]] ?? [:]
  }

  /// What the broker keeps on a topic.
  func kept(_ topic: String) -> String? {
    bench.server.retained[topic].map { String(decoding: $0.payload, as: UTF8.self) }
  }

  func publish(_ payload: String, to topic: String) {
    bench.server.send(topic, Array(payload.utf8), qos: .atLeastOnce, duplicate: false)
    bench.settle()
  }

  func homeAssistantSays(_ word: String, retain: Bool = false) {
    bench.server.send(
      "homeassistant/status", Array(word.utf8), qos: .atMostOnce, retain: retain, duplicate: false)
    bench.settle()
  }
}
