import Boards
import DeviceFile
import Testing

/// A profile gives a carrier board's lines other names; everything else stays the carrier's.
struct ProfileTests {
  private func surroundings(_ lines: String...) -> TestSurroundings {
    let surroundings = TestSurroundings()
    surroundings.boards["uno"] =
      "board: uno\ntitle: Uno\ncarrier: raspberry-pi-4\n" + lines.map { $0 + "\n" }.joined()
    return surroundings
  }

  private var uno: TestSurroundings {
    surroundings(
      "lines:", "  - { line: D13, is: GPIO17 }", "  - { line: LAMP, is: pin 26 }", "buses:",
      "  - { bus: WIRE, is: i2c-1 }")
  }

  private func warnings(_ modules: String) throws -> [String] {
    try load(device(modules, board: "uno"), surroundings: uno).warnings.map(\.text)
  }

  @Test func `a line has the profile's name, the carrier's, and its pin`() throws {
    for name in ["D13", "GPIO17", "pin 11"] {
      let configuration = try load(
        device("  - relay: fan\n    line: \(name)\n", board: "uno"), surroundings: uno)
      let line = try #require(configuration.device.needs.claims.outputs[0].line)
      #expect(line.name == "D13" && line.chip == "pinctrl-bcm2711" && line.kernelNames == ["GPIO17"])
      #expect(line.pin == 11 && line.powerUpPull == .down && line.number == "17")
    }
  }

  @Test func `two names of a line are one line`() {
    #expect(
      errors(
        device("  - relay: fan\n    line: D13\n  - relay: pump\n    line: GPIO17\n", board: "uno"),
        surroundings: uno) == [
          "device.yaml:8:11: line D13 is already used by relay 'fan' at device.yaml:6"
        ])
  }

  @Test func `pulls are warned of with the carrier's remedies and numbers`() throws {
    let lowRelay = "  - relay: fan\n    line: D13\n    active: low\n"
    #expect(
      try warnings(lowRelay) == [
        "device.yaml:6:11: D13 is pulled down at power-up and relay 'fan' is active low: it will be on until "
          + "swiftletd starts; use GPIO4…GPIO6, LAMP or GPIO8 or add gpio=17=op,dh to config.txt"
      ])
  }

  @Test func `a bus by the profile's name takes the carrier's lines`() throws {
    let modules = "  - sensor: air\n    driver: SHT3x\n    bus: WIRE\n  - relay: fan\n    line: GPIO2\n"
    #expect(
      errors(device(modules, board: "uno"), surroundings: uno) == [
        "device.yaml:9:11: line GPIO2 belongs to bus WIRE, which has a sensor on it"
      ])
  }

  @Test(arguments: [
    (["lines: [{ line: D1, is: GPIO99 }]"], "uno.yaml:4:25: the board has no line 'GPIO99'"),
    (["buses: [{ bus: W, is: i2c-7 }]"], "uno.yaml:4:23: the board has no bus 'i2c-7'"),
    (["header: rpi-40"], "uno.yaml:4:9: 'header' beside 'carrier'; the carrier has the header"),
  ])
  func `what is wrong in a profile is reported at its place`(lines: [String], error: String) {
    let surroundings = TestSurroundings()
    surroundings.boards["uno"] =
      "board: uno\ntitle: Uno\ncarrier: raspberry-pi-4\n" + lines.map { $0 + "\n" }.joined()
    let found = errors(board("uno"), surroundings: surroundings)
    #expect(found.count == 1 && found[0].hasPrefix(error), "\(found)")
  }

  @Test func `carriers do not go in circles, and have to be there`() {
    let surroundings = TestSurroundings()
    surroundings.boards["uno"] = "board: uno\ntitle: Uno\ncarrier: uno\n"
    let found = errors(board("uno"), surroundings: surroundings)
    #expect(found == ["uno.yaml:3:10: carriers of carriers of carriers; name the board itself"])
    surroundings.boards["uno"] = "board: uno\ntitle: Uno\ncarrier: raspberry-pi-9\n"
    #expect(errors(board("uno"), surroundings: surroundings)[0].hasPrefix("uno.yaml:3:10: unknown board"))
  }

  @Test func `a header is named by boards that have it, and needs a chip for its lines`() {
    let surroundings = TestSurroundings()
    surroundings.boards["uno"] = "board: uno\ntitle: Uno\nheader: rpi-99\n"
    #expect(
      errors(board("uno"), surroundings: surroundings) == [
        "uno.yaml:3:9: there is no header 'rpi-99'; headers are files in boards/headers/"
      ])
    surroundings.boards["uno"] = "board: uno\ntitle: Uno\nheader: rpi-40\n"
    #expect(
      errors(board("uno"), surroundings: surroundings) == [
        "uno.yaml:1:1: no chip for the lines of the header; add chip: LABEL"
      ])
  }
}
