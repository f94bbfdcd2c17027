import Configuration
import DeviceFile
import Testing

/// What the board does to a line before any software runs.
struct WarningTests {
  private func warnings(_ lines: String..., board: String = "raspberry-pi-4") throws -> [String] {
    let text = device(lines.map { "  \($0)\n" }.joined(), board: board)
    return try load(text).warnings.map(\.text)
  }

  @Test func `a relay that the board's pull switches on is warned of`() throws {
    #expect(
      try warnings("- relay: fan", "  line: GPIO17", "  active: low") == [
        "device.yaml:6:11: GPIO17 is pulled down at power-up and relay 'fan' is active low: it will be on "
          + "until swiftletd starts; use GPIO4…GPIO8 or add gpio=17=op,dh to config.txt"
      ])
    #expect(
      try warnings("- relay: fan", "  line: GPIO7") == [
        "device.yaml:6:11: GPIO7 is pulled up at power-up and relay 'fan' is active high: it will be on "
          + "until swiftletd starts; use GPIO9…GPIO27 or add gpio=7=op,dl to config.txt"
      ])
  }

  @Test(
    arguments: [
      (
        "mqtt://u:p@h:8883",
        "mqtt:// with port 8883, which is that of mqtts://; use mqtts://, else passwords are sent in the clear"
      ),
      (
        "mqtts://h:1883",
        "mqtts:// with port 1883, which is that of mqtt://; leave the port out for 8883, or use mqtt://"
      ),
      (
        "ws://h:443/mqtt",
        "ws:// with port 443, which is that of wss://; use wss://, else passwords are sent in the clear"
      ),
      (
        "wss://h:80/mqtt",
        "wss:// with port 80, which is that of ws://; leave the port out for 443, or use ws://"
      ),
      ("mqtt://h", nil), ("mqtts://h:8883", nil), ("mqtt://h:443", nil), ("ws://h:8883", nil),
      ("unix:///run/mqtt", nil),
    ] as [(String, String?)])
  func `a port that belongs to the other scheme is warned of`(url: String, warning: String?) throws {
    let text = device("  - relay: fan\n    line: GPIO17\n", mqtt: url)
    #expect(try load(text).warnings.map(\.text) == (warning.map { ["device.yaml:3:7: \($0)"] } ?? []))
  }

  @Test func `a line that somebody has is proposed to nobody`() throws {
    let found = try warnings(
      "- relay: fan", "  line: GPIO17", "  active: low", "- button: door", "  line: GPIO6", "- relay: pump",
      "  line: GPIO4", "  active: low")
    #expect(found.count == 1 && found[0].contains("; use GPIO5 or GPIO7…GPIO8 or add"))
  }

  @Test func `the simulated board knows no config.txt`() throws {
    let found = try warnings("- relay: fan", "  line: pin 11", "  active: low", board: "simulator")
    #expect(found.count == 1 && found[0].hasSuffix("; use GPIO4…GPIO8"))
  }

  @Test func `a relay whose line idles at its off level is not warned of`() throws {
    #expect(try warnings("- relay: fan", "  line: GPIO17").isEmpty)
    #expect(try warnings("- relay: fan", "  line: GPIO5", "  active: low").isEmpty)
  }

  @Test func `a relay that is on from the start anyway is not warned of`() throws {
    let safety = "  safety: { start: on }"
    #expect(try warnings("- relay: fan", "  line: GPIO17", "  active: low", safety).isEmpty)
  }

  @Test func `a reserved line is warned of`() throws {
    #expect(
      try warnings("- button: door", "  line: GPIO0") == [
        "device.yaml:6:11: line GPIO0 is reserved: the identification EEPROM of HATs"
      ])
  }

  @Test func `kept readings without a place for their time are warned of`() throws {
    func warnings(_ version: String, _ format: String) throws -> [String] {
      let mqtt = "{ url: mqtt://h, version: \(version) }"
      let sensor = "  - sensor: air\n    driver: SHT3x\n    bus: i2c-1\n    keep: memory\n    \(format)\n"
      return try load("device: d\nboard: simulator\nmqtt: \(mqtt)\nmodules:\n\(sensor)").warnings.map(\.text)
    }
    #expect(
      try warnings("3.1.1", "format: plain") == [
        "device.yaml:8:11: with MQTT 3.1.1 kept readings do not tell when they were taken; "
          + "say 'format: json' at the sensor"
      ])
    #expect(try warnings("3.1.1", "format: json").isEmpty)
    #expect(try warnings("5", "format: plain").isEmpty)
  }

  @Test func `the board's hint is not given for a line of another chip`() throws {
    let text =
      device("  - relay: fan\n    line: LAMP\n", board: "raspberry-pi-4")
      + "lines: [{ line: LAMP, chip: pcf8574, pull: up }]\n"
    let warnings = try load(text).warnings.map(\.text)
    #expect(
      warnings.count == 1 && warnings[0].contains("use GPIO9…GPIO27") && !warnings[0].contains("config.txt"))
  }

  @Test func `a board without remedies is warned of without them`() throws {
    let surroundings = TestSurroundings()
    surroundings.boards["bench"] =
      "board: bench\ntitle: Bench\nchip: c\nlines: [{ line: OUT, pull: up }, { line: IN }]\n"
    let text = device("  - relay: fan\n    line: OUT\n  - relay: lamp\n    line: IN\n", board: "bench")
    #expect(
      try load(text, surroundings: surroundings).warnings.map(\.text) == [
        "device.yaml:6:11: OUT is pulled up at power-up and relay 'fan' is active high: it will be on "
          + "until swiftletd starts"
      ])
  }
}
