import Configuration
import DeviceFile
import TestNumbers
import Testing

/// Whatever is done to a file, reading it ends, soon, with a configuration or with errors that have a place.
struct FuzzTests {
  /// Words that mean something to YAML or to a device file.
  private static let words = [
    "\n", "\n  ", "  - ", ": ", "- ", "{", "}", "[", "]", "\"", "'", "&a ", "*a", "!secret ", "!x ", "|\n",
    ">-\n",
    "? ", "# ", "---\n", "...\n", "%YAML 1.1\n", "${", "${A:-b}", "\t", "\r", "\u{0}", "\u{7F}", "ü",
    "\u{FEFF}",
    "on", "0x", "99999999999999999999", "-1", "relay: ", "line: GPIO17", "line: pin 6", "every: 0s", "mqtt: ",
    "mqtt://u:p@[::1]:0/", "safety: {", "broker_lost: ", "sensor: x\n    driver: SHT3x\n", "<<: ", "~",
  ].map { Array($0.utf8) }

  /// A small board, so that most of the time goes into the file in question.
  private static let bench = """
    board: raspberry-pi-4
    title: Bench
    chip: c
    lines: [{ line: GPIO5, pull: up }, { line: GPIO17, pin: 11, pull: down }, { line: GPIO27 }]
    supply: { GND: [6] }
    buses: [{ bus: i2c-1, lines: [GPIO17] }]
    """

  private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix) {
    let place = Int.random(in: 0...bytes.count, using: &random)
    let end = min(bytes.count, place + Int.random(in: 1...24, using: &random))
    switch Int.random(in: 0..<6, using: &random) {
    case 0: bytes.removeSubrange(place..<end)
    case 1: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
    case 2: if place < bytes.count { bytes[place] = UInt8.random(in: 0...255, using: &random) }
    case 3: if place < bytes.count { bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
    default: bytes.insert(contentsOf: FuzzTests.words.randomElement(using: &random) ?? [], at: place)
    }
  }

  @Test(arguments: 0..<8)
  func `three thousand spoilt files are read to an end`(seed: Int) throws {
    var example = String(decoding: try file("examples/greenhouse/device.yaml").bytes, as: UTF8.self)
    // Comments would take most of the blows.
    example = example.split(separator: "\n").filter { !$0.contains("# ") || $0.contains(":") }
      .joined(separator: "\n")
    let surroundings = TestSurroundings()
    surroundings.boards["raspberry-pi-4"] = FuzzTests.bench
    surroundings.secrets = "a: b\n"
    var random = SplitMix(state: UInt64(seed))
    let unit = try unspoilt()
    var slowest = Duration.zero
    for _ in 0..<3000 {
      var bytes = Array(example.utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes, &random) }
      let began = ContinuousClock.now
      check(bytes, surroundings)
      slowest = max(slowest, ContinuousClock.now - began)
    }
    #expect(slowest < unit * 20_000)
  }

  /// How long the example takes on this machine, as it is now: a millisecond. What takes time that grows
  /// faster than a file does would take hours.
  private func unspoilt() throws -> Duration {
    let example = try file("examples/greenhouse/device.yaml").bytes
    let surroundings = TestSurroundings()
    surroundings.boards["raspberry-pi-4"] = FuzzTests.bench
    let began = ContinuousClock.now
    for _ in 0..<50 { check(example, surroundings) }
    return (ContinuousClock.now - began) / 50
  }

  private func check(_ bytes: [UInt8], _ surroundings: TestSurroundings) {
    do throws(ConfigurationErrors) {
      let configuration = try DeviceConfiguration.load(
        SourceFile(name: "device.yaml", bytes: bytes), features: testFeatures(), surroundings: surroundings)
      #expect(!Summary.text(configuration).isEmpty)
    } catch {
      let lines = bytes.count { $0 == 0x0A || $0 == 0x0D } + 2
      #expect(!error.list.isEmpty)
      for error in error.list where error.mark.file == "device.yaml" {
        #expect((1...lines).contains(error.mark.line) && error.mark.column >= 1, "\(error.text)")
      }
    }
  }

  @Test func `hostile files are refused soon`() throws {
    let unit = try unspoilt()
    let surroundings = TestSurroundings()
    let files = [
      String(repeating: "[", count: 200_000), String(repeating: "{", count: 200_000),
      String(repeating: "- ", count: 100_000), String(repeating: "? ", count: 100_000),
      String(repeating: "a: &a [*a]\n", count: 20_000), String(repeating: "!t ", count: 60_000),
      "device: " + String(repeating: "x", count: 250_000), String(repeating: "k: ", count: 80_000),
      (0..<4000).map { "k\($0): v\n" }.joined(), String(repeating: "'", count: 250_000),
      device((0..<800).map { "  - relay: r\($0)\n    line: GPIO17\n" }.joined()),
      device((0..<600).map { "  - sensor: s\($0)\n    driver: SHT3x\n    bus: i2c-1\n" }.joined()),
      broker("'" + String(repeating: "${A:-", count: 800) + "'"),
    ]
    for text in files {
      let began = ContinuousClock.now
      #expect(!errors(text, surroundings: surroundings).isEmpty)
      #expect(ContinuousClock.now - began < unit * 20_000, "\(text.prefix(20))")
    }
  }
}
