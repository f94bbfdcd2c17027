import Configuration
import DeviceFile
import DeviceRuntime
import Foundation
import MQTTConnection
import Modules
import Testing

/// The README's tables say what the kinds say: topics from their entities, keys from what they ask for.
struct ReadmeTests {
  /// What a kind needs to be read. A new kind needs a line here, and is told so.
  static let examples = [
    "relay": "line: GPIO5", "button": "line: GPIO5", "contact": "line: GPIO5", "binary": "line: GPIO5",
    "sensor": "bus: i2c-1", "expander": "bus: i2c-1",
  ]
  /// Topics that modules have without an entity that says so: answers to commands, and faults.
  static let runtimeTopics: Set<String> = ["result", "error"]
  static let stranger = "zzzzzzzzzzzzzz"

  /// The lines of an entry for each kind, and for each chip of those that have chips.
  static func entries(of kind: ModuleKind) throws -> [String] {
    let example = try #require(examples[kind.name], "ReadmeTests.examples lacks \(kind.name)")
    let entry = "  - \(kind.name): x\n    \(example)\n"
    return kind.chips.isEmpty ? [entry] : kind.chips.map { entry + "    driver: \($0)\n" }
  }

  static func load(_ text: String) throws(ConfigurationErrors) -> DeviceConfiguration {
    let features = ConfigurationFeatures(
      kinds: ModuleKind.all, transports: MQTTTransport.all, hasOutbox: true, hasScram: true)
    return try DeviceConfiguration.load(source(text), features: features, surroundings: TestSurroundings())
  }

  /// The keys of the mapping in which the text has a key that nobody knows.
  static func keys(_ text: String) -> Set<String> {
    do throws(ConfigurationErrors) {
      _ = try load(text)
    } catch {
      for line in error.list.map(\.text) {
        guard let start = line.range(of: "'\(stranger)'"),
          let list = line.range(of: "known keys are ", range: start.upperBound..<line.endIndex)
        else { continue }
        let names = line[list.upperBound...].replacing(" and ", with: ", ").split(separator: ", ")
        return Set(names.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) })
      }
    }
    return []
  }

  /// The cells of the README's table rows.
  static func rows() throws -> [[String]] {
    let text = String(decoding: try file("README.md").bytes, as: UTF8.self)
    return text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
      line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
  }

  static func row(_ title: String) throws -> String {
    let row = try rows().first { $0[0].contains("`\(title)`") }
    return try #require(row, "README has no row for \(title)").joined(separator: " ")
  }

  static func words(_ text: String) -> Set<String> {
    Set(text.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init))
  }

  @Test func `the table of topics has the topics of all kinds and chips and no others`() throws {
    var topics = Self.runtimeTopics
    for kind in ModuleKind.all {
      for entry in try Self.entries(of: kind) {
        for module in try Self.load(device(entry)).device.modules {
          for entity in module.entities {
            entity.forEachTopic { key, leaf in
              topics.insert(
                [key.description, leaf.description].filter { !$0.isEmpty }.joined(separator: "/"))
            }
          }
        }
      }
    }
    var listed: Set<String> = []
    for row in try Self.rows() where row[0].hasPrefix("`<module>/") {
      for name in row[0].split(separator: ",") {
        let name = name.trimmingCharacters(in: CharacterSet(charactersIn: " `"))
        listed.insert(name.replacing("<module>/", with: ""))
      }
    }
    #expect(listed == topics)
  }

  @Test func `the table of topics has the words that modules publish and obey`() throws {
    let (state, set) = (Self.words(try Self.row("<module>/state")), Self.words(try Self.row("<module>/set")))
    for kind in ModuleKind.all {
      for entry in try Self.entries(of: kind) {
        for entity in try Self.load(device(entry)).device.modules.flatMap(\.entities) where entity.isMain {
          #expect(state.isSuperset(of: Self.words(entity.words.description)))
          #expect(set.isSuperset(of: Self.words(entity.commands.description)))
        }
      }
    }
  }

  @Test func `the table of keys has every key that a kind reads and says where the chips stand`() throws {
    for kind in ModuleKind.all {
      let row = Self.words(try Self.row("\(kind.name): NAME"))
      for entry in try Self.entries(of: kind) {
        let keys = Self.keys(device(entry + "    \(Self.stranger): 1\n"))
        #expect(keys.contains(kind.name))
        #expect(row.isSuperset(of: keys), "\(kind.name): \(keys.subtracting(row))")
      }
      guard !kind.chips.isEmpty else { continue }
      #expect(
        try Self.row("\(kind.name): NAME").contains("](Sources/Chips/Chips.swift)"), "a link to all of them")
      #expect(!row.isDisjoint(with: kind.chips), "such as")
    }
  }

  @Test(arguments: [
    ("safety", "safety: { zzzzzzzzzzzzzz: 1 }"),
    ("safety", "safety: { broker_lost: { after: 1s, then: off, zzzzzzzzzzzzzz: 1 } }"),
  ])
  func `the table of keys has every key of safety`(title: String, text: String) throws {
    let keys = Self.keys(device("  - relay: x\n    line: GPIO5\n    \(text)\n"))
    let row = Self.words(try Self.row(title))
    #expect(!keys.isEmpty)
    #expect(row.isSuperset(of: keys), "\(keys.subtracting(row))")
  }

  @Test(arguments: [
    ("mqtt", "{ url: 'mqtt://b', zzzzzzzzzzzzzz: 1 }"),
    ("tls", "{ url: 'mqtts://b', tls: { zzzzzzzzzzzzzz: 1 } }"),
    ("reconnect", "{ url: 'mqtt://b', reconnect: { zzzzzzzzzzzzzz: 1 } }"),
    ("outbox", "{ url: 'mqtt://b', outbox: { path: /x, zzzzzzzzzzzzzz: 1 } }"),
  ])
  func `the table of keys has every key of the broker`(title: String, text: String) throws {
    let keys = Self.keys(device("  - relay: x\n    line: GPIO5\n", mqtt: text))
    let row = Self.words(try Self.row(title))
    #expect(!keys.isEmpty)
    #expect(row.isSuperset(of: keys), "\(keys.subtracting(row))")
  }

  @Test func `the table of keys has every key of the device`() throws {
    let keys = Self.keys(device("  - relay: x\n    line: GPIO5\n") + "\(Self.stranger): 1\n")
    #expect(!keys.isEmpty)
    for key in keys { _ = try Self.row(key) }
  }
}
