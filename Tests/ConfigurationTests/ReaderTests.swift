import Configuration
import DeviceFile
import Testing

struct ReaderTests {
  private let right = modules("- relay: fan", "  line: GPIO17")

  private func errors(_ bytes: [UInt8]) -> [String] {
    do throws(ConfigurationErrors) {
      _ = try DeviceConfiguration.load(
        SourceFile(name: "device.yaml", bytes: bytes), features: testFeatures(),
        surroundings: TestSurroundings())
      return []
    } catch {
      return error.list.map(\.text)
    }
  }

  @Test func `everything that is wrong is reported at once, in the order of the file`() {
    let text = """
      device: My House
      board: simulater
      mqtt: broker.local
      moduls: []
      modules:
        - relay: fan
          line: GPIO17
          actve: low
          safety: { start: onn, max_on: 10 }
        - sensor: air
          driver: SHT4x
          bus: i2c-1
          address: 0x78
        - button: fan
          line: GPIO17
      """
    #expect(
      ConfigurationTests.errors(text) == [
        "device.yaml:1:9: 'device' must be a name of A-Z, a-z, 0-9, '-' and '_', not 'My House'; "
          + "for example 'My_House'",
        "device.yaml:2:8: unknown board 'simulater'; did you mean 'simulator'? boards are raspberry-pi-4 "
          + "and simulator",
        "device.yaml:3:7: the broker URL has no scheme; write mqtt://HOST or mqtt://HOST:PORT",
        "device.yaml:4:1: unknown key 'moduls'; known keys are device, root, board, mqtt, lines, buses, log and modules",
        "device.yaml:8:5: unknown key 'actve' in relay 'fan'; did you mean 'active'?",
        "device.yaml:9:22: 'start' in 'safety' of relay 'fan' must be on or off, not 'onn'; "
          + "did you mean 'on'?",
        "device.yaml:9:35: 'max_on' in 'safety' of relay 'fan' must be a duration with its unit, not '10'; "
          + "for example 10s or 10ms",
        "device.yaml:11:13: unknown driver 'SHT4x' in sensor 'air'; 'sensor' has no driver for that chip yet; "
          + "drivers are TMP105, SHT3x and BMP280",
        "device.yaml:13:14: 'address' in sensor 'air' must be an I2C address from 0x08 to 0x77, like 0x44, "
          + "not '0x78'",
        "device.yaml:14:5: the name 'fan' is already taken by relay 'fan' at device.yaml:6",
        "device.yaml:15:11: line GPIO17 is already used by relay 'fan' at device.yaml:7",
      ])
  }

  @Test func `errors of another file stand after the device file's`() {
    let surroundings = TestSurroundings()
    surroundings.boards["bench"] = "board: bench\ntitle: Bench\nline: []\n"
    let text = device("  - relay: fan\n    lin: A\n", board: "bench")
    #expect(
      ConfigurationTests.errors(text, surroundings: surroundings) == [
        "device.yaml:5:5: 'line' is missing in relay 'fan'; for example line: GPIO17",
        "device.yaml:6:5: unknown key 'lin' in relay 'fan'; did you mean 'line'?",
        "bench.yaml:3:1: unknown key 'line'; did you mean 'lines'?",
      ])
  }

  @Test func `a board file that describes another board is refused`() {
    let surroundings = TestSurroundings()
    surroundings.boards["bench"] = "board: banch\ntitle: Bench\n"
    #expect(
      ConfigurationTests.errors(board("bench"), surroundings: surroundings) == [
        "bench.yaml:1:1: the file of board 'bench' describes 'banch'"
      ])
  }

  @Test func `a hundred errors are enough`() {
    let many = (0..<200).map { "x\($0): 1\n" }.joined()
    #expect(ConfigurationTests.errors(key(many)).count == 100)
  }

  @Test func `line ends and byte order marks of other systems are no errors`() {
    #expect(errors(Array(right.utf8)).isEmpty)
    #expect(errors([0xEF, 0xBB, 0xBF] + Array(right.utf8)).isEmpty)
    #expect(errors([0xEF, 0xBB, 0xBF] + Array("x: \u{7}\n".utf8))[0].hasPrefix("device.yaml:1:4: not YAML"))
    #expect(errors(Array(right.replacing("\n", with: "\r\n").utf8)).isEmpty)
    #expect(errors(Array(right.utf8.dropLast())).isEmpty)
  }

  @Test func `columns count characters, not bytes`() {
    #expect(
      ConfigurationTests.errors(modules("- { relay: fan, line: GPIO17, 'größe': 1 }")) == [
        "device.yaml:5:33: unknown key 'größe' in relay 'fan'; known keys are relay, line, active, safety, pulse, on_payload and off_payload"
      ])
    #expect(
      ConfigurationTests.errors(modules("- { 'größe': 1, relay: fan, line: A }")) == [
        "device.yaml:5:7: unknown key 'größe' in relay 'fan'; known keys are relay, line, active, safety, pulse, on_payload and off_payload",
        "device.yaml:5:37: simulator has no line 'A'; lines are GPIO0…GPIO27",
      ])
  }

  @Test(arguments: [
    [0xFF], [0x80], [0xC3], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
    [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82],
  ])
  func `bytes that are no UTF-8 are refused at their place`(bytes: [UInt8]) {
    let text = Array("device: d\nboard: ü".utf8) + bytes + [0x0A]
    #expect(errors(text) == ["device.yaml:2:9: the file is not UTF-8; save it as UTF-8 text"])
  }

  @Test func `UTF-16 is refused`() {
    let wide = right.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    #expect(errors([0xFF, 0xFE] + wide) == ["device.yaml:1:1: the file is not UTF-8; save it as UTF-8 text"])
    #expect(errors(wide).count == 1)
  }
}
