import Boards
import Configuration
import DeviceFile
import DeviceRuntime
import Drivers
import Foundation
import MQTTConnection
import Modules

/// What the tests' device files may name: a few kinds and chips, so that messages that list them stay the same when
/// there are more. Their facts are the product's.
func testFeatures() -> ConfigurationFeatures {
  let chips = SensorChip.all.filter { ["TMP105", "SHT3x", "BMP280"].contains($0.name) }
  let kinds = [Relay.kind, BinaryInput.kind("button"), SensorModule.kind(chips)]
  return ConfigurationFeatures(
    kinds: kinds, transports: MQTTTransport.all, hasOutbox: true, hasScram: true, spellings: .usual)
}

/// The package's root.
let packageRoot = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

func file(_ path: String) throws -> SourceFile {
  let data = try Data(contentsOf: packageRoot.appendingPathComponent(path))
  return SourceFile(name: path, bytes: Array(data))
}

func source(_ text: String, name: String = "device.yaml") -> SourceFile {
  SourceFile(name: name, bytes: Array(text.utf8))
}

/// Answers from memory; boards come from `boards/` unless a test has its own.
final class TestSurroundings: ConfigurationSurroundings {
  var variables: [String: String] = [:]
  var secrets: String?
  var boards: [String: String] = [:]
  /// Not what is there, so that messages stay the same when a board is added.
  var names = ["raspberry-pi-4", "simulator"]
  var places: [String] = []

  func variable(_ name: String) -> String? { variables[name] }

  func secretsFile() -> SourceFile? { secrets.map { source($0, name: "secrets.yaml") } }

  func boardNames() -> [String] { names }

  func boardPlaces() -> [String] { places }

  func boardFile(_ name: String) -> SourceFile? {
    if let text = boards[name] { return source(text, name: name + ".yaml") }
    return try? file("boards/\(name).yaml")
  }

  func headerFile(_ name: String) -> SourceFile? { try? file("boards/headers/\(name).yaml") }
}

/// The configuration that a text describes.
func load(
  _ text: String, board: String? = nil, surroundings: TestSurroundings = TestSurroundings()
) throws(ConfigurationErrors) -> DeviceConfiguration {
  try DeviceConfiguration.load(
    source(text), features: testFeatures(), board: board, surroundings: surroundings)
}

/// What is wrong with a text, as the user reads it.
func errors(_ text: String, surroundings: TestSurroundings = TestSurroundings()) -> [String] {
  do throws(ConfigurationErrors) {
    _ = try load(text, surroundings: surroundings)
    return []
  } catch {
    return error.list.map(\.text)
  }
}

/// A device file around modules, whose lines begin at line 5.
func device(_ modules: String, board: String = "simulator", mqtt: String = "mqtt://broker") -> String {
  "device: d\nboard: \(board)\nmqtt: \(mqtt)\nmodules:\n" + modules
}
