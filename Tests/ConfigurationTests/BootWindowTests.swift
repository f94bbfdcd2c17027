import Boards
import DeviceFile
import Testing

/// What outputs are at while the board starts.
struct BootWindowTests {
  private func window(_ lines: String..., surroundings: TestSurroundings = TestSurroundings(), board: String)
    throws -> String
  {
    let text = device(lines.map { "  \($0)\n" }.joined(), board: board)
    let configuration = try load(text, surroundings: surroundings)
    return BootWindow(configuration.device.needs.claims, on: configuration.board).text
  }

  @Test func `what a pull would switch on has a line for the firmware, and what is right has none`() throws {
    #expect(
      try window(
        "- relay: fan", "  line: GPIO17", "  active: low", "- relay: pump", "  line: GPIO22", "- relay: lamp",
        "  line: GPIO23", "  safety: { start: on }", "- relay: heater", "  line: GPIO7",
        board: "raspberry-pi-4")
          == """
          window  output               power-up pull  firmware            kernel  swiftletd
                  relay fan, GPIO17    down, on       gpio=17=op,dh, off  off     off
                  relay pump, GPIO22   down, off      off                 off     off
                  relay lamp, GPIO23   down, off      off                 off     on
                  relay heater, GPIO7  up, on         gpio=7=op,dl, off   off     off

          board   raspberry-pi-4
          config  gpio=17=op,dh
          config  gpio=7=op,dl

          """)
  }

  @Test func `a pull that nothing mends is unsafe, and the line that helps is named`() throws {
    let surroundings = TestSurroundings()
    surroundings.boards["bare"] = """
      board: bare
      title: Bare
      chip: bare-chip
      lines:
        - { line: A1, pull: down }
        - { line: A2, pull: up }
        - { line: A3 }
      """
    #expect(
      try window(
        "- relay: fan", "  line: A1", "  active: low", "- relay: pump", "  line: A3",
        surroundings: surroundings,
        board: "bare") == """
          window  output          power-up pull  firmware  kernel  swiftletd
                  relay fan, A1   down, on       on        on      off
                  relay pump, A3  open           open      open    off

          board   bare
          unsafe  relay 'fan': A1 is pulled down; use A2

          """)
  }

  @Test func `without outputs there is no table`() throws {
    #expect(
      try window(
        "- button: door", "  line: GPIO27", "  active: low", "  pull: up", board: "raspberry-pi-4")
        == "board   raspberry-pi-4\n")
  }
}
