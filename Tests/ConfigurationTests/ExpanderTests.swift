import Boards
import Configuration
import DeviceFile
import DeviceRuntime
import MQTTConnection
import Testing

@testable import Modules

/// Expanders in a device file: their pins are lines of other modules.
struct ExpanderTests {
  private func configuration(_ lines: String...) throws(ConfigurationErrors) -> DeviceConfiguration {
    try DeviceConfiguration.load(
      source(device(lines.map { "  \($0)\n" }.joined())),
      features: ConfigurationFeatures(
        kinds: ModuleKind.all, transports: MQTTTransport.all, hasOutbox: true, hasScram: true),
      surroundings: TestSurroundings())
  }

  private static let relays = ["- expander: relays", "  driver: MCP23017", "  bus: i2c-1"]

  private func errors(_ lines: String..., after relays: [String] = relays) -> [String] {
    do throws(ConfigurationErrors) {
      let text = device((relays + lines).map { "  \($0)\n" }.joined())
      _ = try DeviceConfiguration.load(
        source(text),
        features: ConfigurationFeatures(
          kinds: ModuleKind.all, transports: MQTTTransport.all, hasOutbox: true, hasScram: true),
        surroundings: TestSurroundings())
      return []
    } catch {
      return error.list.map(\.text)
    }
  }

  @Test(arguments: [
    ("sensor", "mcp23017", "'expander' drives that: begin the module with '- expander: '"),
    ("sensor", "PCF8574", "'expander' drives that: begin the module with '- expander: '"),
    ("expander", "sht3x", "'sensor' drives that: begin the module with '- sensor: '"),
    ("expander", "BMP280", "'sensor' drives that: begin the module with '- sensor: '"),
  ])
  func `a chip of another kind is known as that`(kind: String, chip: String, cure: String) {
    do throws(ConfigurationErrors) {
      _ = try DeviceConfiguration.load(
        source(device("  - \(kind): x\n    driver: \(chip)\n    bus: i2c-1\n")),
        features: ConfigurationFeatures(
          kinds: ModuleKind.all, transports: MQTTTransport.all, hasOutbox: true, hasScram: true,
          spellings: .usual), surroundings: TestSurroundings())
      Issue.record("it is taken")
    } catch {
      #expect(
        error.list.map(\.text) == ["device.yaml:6:13: unknown driver '\(chip)' in \(kind) 'x'; \(cure)"])
    }
  }

  @Test func `a pin is a line by number and by the datasheet's name`() throws {
    let found = try configuration(
      "- relay: fan", "  line: relays.3", "- relay: pump", "  line: relays.GPB7", "- expander: relays",
      "  driver: MCP23017", "  bus: i2c-1", "  address: 0x21")
    let claims = found.device.needs.claims
    #expect(claims.outputs.map { $0.pin?.number } == [3, 15])
    #expect(claims.targets[0].address == 0x21 && claims.targets[0].chip == "MCP23017")
  }

  @Test func `check says what cannot be promised`() throws {
    let text = Summary.text(
      try configuration(
        "- expander: relays", "  driver: PCA9555", "  bus: i2c-1", "- relay: fan", "  line: relays.0"))
    #expect(
      text.contains(
        "limits  relays.0: start level with the first transfer; a command can take 200 ms when another chip hangs the bus; no stop or crash level when the bus is stuck\n"
      ), "\(text)")
    #expect(
      text.contains("lines   relays.0        relay fan, active high, off at start, off at stop\n"), "\(text)")
    #expect(text.contains("buses   i2c-1   0x20    expander relays, PCA9555 (simulated)\n"), "\(text)")
  }

  @Test func `an enable line is one of the board's, and changes what is promised`() throws {
    let found = try configuration(
      "- expander: relays", "  driver: MCP23017", "  bus: i2c-1", "  enable: { line: GPIO17 }",
      "  bus_lost: 5s",
      "- relay: fan", "  line: relays.0")
    let enable = try #require(found.device.needs.claims.expanders[0].enable)
    #expect(enable.line?.name == "GPIO17" && !enable.startsActive)
    #expect(
      Summary.text(found).contains(
        "limits  relays.0: cut off by its enable line until the first transfer, when the bus has failed for 5s, and at the stop, whatever its stop level; a command can take 200 ms when another chip hangs the bus\n"
      ))
  }

  @Test func `of an expander whose chip is not known nothing is said of its lines`() {
    let misspelt = ["- expander: relays", "  driver: MCP2307", "  bus: i2c-1"]
    let found = errors("- relay: fan", "  line: relays.1", after: misspelt)
    #expect(found.count == 1 && found[0].hasPrefix("device.yaml:6:13: unknown driver 'MCP2307'"))
  }

  @Test func `what is wrong is reported at its place`() {
    #expect(
      errors("- relay: fan", "  line: relays.16") == [
        "device.yaml:9:11: expander 'relays' has no pin '16'; its pins are 0…15, or GPA0…GPB7"
      ])
    #expect(
      errors("- relay: fan", "  line: relays.1", "- relay: pump", "  line: relays.GPA1") == [
        "device.yaml:11:11: line relays.GPA1 is already used by relay 'fan' at device.yaml:9"
      ])
    #expect(
      errors("- contact: door", "  line: relays.1") == [
        "device.yaml:9:11: relays.1 is a pin of an expander, which can only be an output yet; use a line of the board"
      ])
    #expect(
      errors("  enable: { line: relays.1 }") == [
        "device.yaml:8:21: an expander cannot switch itself on; use a line of the board"
      ])
    #expect(
      errors("- relay: fan", "  line: other.1") == [
        "device.yaml:9:11: simulator has no line 'other.1'; lines are GPIO0…GPIO27"
      ])
    #expect(
      errors("- sensor: air", "  driver: SHT3x", "  bus: i2c-1", "- relay: fan", "  line: GPIO2")
        == [
          "device.yaml:12:11: line GPIO2 belongs to bus i2c-1, which has an expander on it"
        ])
  }

  @Test func `an output that its chip would switch on before the first transfer is an error`() throws {
    #expect(throws: ConfigurationErrors.self) {
      try configuration("- expander: r", "  driver: PCF8574", "  bus: i2c-1", "- relay: fan", "  line: r.0")
    }
    _ = try configuration(
      "- expander: r", "  driver: PCF8574", "  bus: i2c-1", "- relay: fan", "  line: r.0", "  active: low")
  }
}
