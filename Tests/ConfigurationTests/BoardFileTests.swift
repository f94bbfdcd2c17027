import Boards
import DeviceFile
import Foundation
import Testing

struct BoardFileTests {
  /// The 40-pin header: BCM number of each pin that is a line. (Raspberry Pi documentation.)
  private static let header = [
    3: 2, 5: 3, 7: 4, 8: 14, 10: 15, 11: 17, 12: 18, 13: 27, 15: 22, 16: 23, 18: 24, 19: 10, 21: 9, 22: 25,
    23: 11, 24: 8, 26: 7, 27: 0, 28: 1, 29: 5, 31: 6, 32: 12, 33: 13, 35: 19, 36: 16, 37: 26, 38: 20, 40: 21,
  ]

  private static let headerBoards = [
    "raspberry-pi-3", "raspberry-pi-4", "raspberry-pi-5", "raspberry-pi-zero-2-w", "simulator",
  ]

  private static let allBoards: [String] = ["boards", "Tests/kernel/boards"].flatMap { folder in
    let directory = packageRoot.appendingPathComponent(folder).path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return names.filter { $0.hasSuffix(".yaml") }.map { folder + "/" + $0.dropLast(5) }
  }

  private func board(_ name: String) throws -> BoardDescription {
    try BoardDescription.load(file("boards/\(name).yaml"), surroundings: TestSurroundings())
  }

  @Test(arguments: allBoards)
  func `every board file describes the board it is named after`(name: String) throws {
    let board = try BoardDescription.load(file("\(name).yaml"), surroundings: TestSurroundings())
    #expect(board.name == name.split(separator: "/").last.map(String.init))
    #expect(!board.title.isEmpty)
    for line in board.lines { #expect(!line.chip.isEmpty && line.kernelNames.first == line.name) }
    for bus in board.buses {
      #expect(board.simulated || bus.device.hasPrefix("/dev/i2c-"))
      for line in bus.lines { #expect(board.lines.contains { $0.name == line }) }
    }
    #expect(Set(board.lines.map(\.name)).count == board.lines.count)
  }

  @Test(arguments: headerBoards)
  func `the 40-pin header has every line on its pin`(name: String) throws {
    let board = try board(name)
    var pins: [Int: Int] = [:]
    for line in board.lines {
      let number = try #require(Int(line.name.dropFirst("GPIO".count)))
      pins[try #require(line.pin)] = number
      #expect(line.powerUpPull == (number <= 8 ? .up : .down))
      #expect((line.reserved != nil) == (number < 2))
    }
    #expect(pins == BoardFileTests.header)
    let supplies = board.supplyPins.map(\.pin)
    #expect(Set(supplies).union(pins.keys) == Set(1...40))
    #expect(supplies.count + pins.count == 40)
    #expect(board.supplyPins.filter { $0.supply == "GND" }.map(\.pin) == [6, 9, 14, 20, 25, 30, 34, 39])
  }

  /// WiringPi's numbers of the 40-pin header, in the order of the pins. (WiringPi, "Pins".)
  private static let wiringPi = [
    3: 8, 5: 9, 7: 7, 8: 15, 10: 16, 11: 0, 12: 1, 13: 2, 15: 3, 16: 4, 18: 5, 19: 12, 21: 13, 22: 6, 23: 14,
    24: 10,
    26: 11, 27: 30, 28: 31, 29: 21, 31: 22, 32: 26, 33: 23, 35: 24, 36: 27, 37: 25, 38: 28, 40: 29,
  ]

  @Test(arguments: headerBoards)
  func `every line of the 40-pin header has its numbers of other programs`(name: String) throws {
    let board = try board(name)
    for (pin, number) in BoardFileTests.wiringPi {
      #expect(board.line("wPi \(number)")?.pin == pin)
      #expect(board.line("BCM\(try #require(BoardFileTests.header[pin]))")?.pin == pin)
    }
  }

  @Test func `each board names its chip as the kernel does`() throws {
    let chips = [
      "raspberry-pi-3": "pinctrl-bcm2835", "raspberry-pi-4": "pinctrl-bcm2711",
      "raspberry-pi-5": "pinctrl-rp1", "raspberry-pi-zero-2-w": "pinctrl-bcm2835", "simulator": "simulator",
    ]
    for (name, chip) in chips {
      let lines = try board(name).lines
      #expect(lines.allSatisfy { $0.chip == chip })
    }
  }

  @Test func `a line has the names that old and foreign kernels give it`() throws {
    func names(_ boardName: String, _ line: String) throws -> [String]? {
      try board(boardName).line(line)?.kernelNames
    }
    #expect(try names("raspberry-pi-5", "GPIO17") == ["GPIO17", "PIN11"])
    #expect(try names("raspberry-pi-5", "PIN11") == ["GPIO17", "PIN11"])
    #expect(try names("raspberry-pi-5", "pin 11") == ["GPIO17", "PIN11"])
    #expect(try names("raspberry-pi-3", "GPIO15") == ["GPIO15", "RXD1"])
    #expect(try names("raspberry-pi-zero-2-w", "GPIO15") == ["GPIO15", "RXD0"])
    #expect(try names("raspberry-pi-4", "SDA1") == ["GPIO2", "SDA1"])
    #expect(try names("simulator", "pin 40") == ["GPIO21"])
    #expect(try names("simulator", "pin 6") == nil)
  }

  @Test func `every key of a board file has its effect`() throws {
    let text = """
      board: bench
      title: Test bench
      also: [workbench, test-rig]
      simulated: yes
      chip: main
      start_high: wire * up
      start_low: wire * down
      supply: { GND: [2] }
      lines:
        - line: OUT1
        - { line: OUT2, chip: other, pin: 1, pull: none, also: [SECOND], reserved: a lamp }
      buses:
        - bus: i2c-7
        - { bus: sensors, device: /dev/i2c-3, lines: [OUT2], enable: plug it in }
      """
    let board = try BoardDescription.load(source(text, name: "bench.yaml"), surroundings: TestSurroundings())
    #expect(board.title == "Test bench" && board.simulated && board.mark.text == "bench.yaml:1:1")
    #expect(board.otherNames == ["workbench", "test-rig"])
    #expect(board.startHighHint == "wire * up" && board.startLowHint == "wire * down")
    #expect(board.supplyPins.map { "\($0.pin) \($0.supply)" } == ["2 GND"])
    let (first, second) = (board.lines[0], board.lines[1])
    #expect(first.chip == "main" && first.pin == nil && first.powerUpPull == nil && first.reserved == nil)
    #expect(second.chip == "other" && second.pin == 1 && second.powerUpPull == LineDescription.Pull.none)
    #expect(second.kernelNames == ["OUT2", "SECOND"] && second.reserved == "a lamp")
    #expect(second.mark.text == "bench.yaml:11:5")
    #expect(board.buses.map(\.device) == ["/dev/i2c-7", "/dev/i2c-3"])
    #expect(board.buses.map(\.lines) == [[], ["OUT2"]])
    #expect(board.buses.map(\.enableHint) == [nil, "plug it in"])
  }

  @Test(arguments: [
    ("title: x\n", "b.yaml:1:1: 'board' is missing; for example board: raspberry-pi-4\n"),
    ("board: b\n", "b.yaml:1:1: 'title' is missing; for example title: Raspberry Pi 4 Model B\n"),
    ("board: b\ntitle: B\nlines: 3\n", "b.yaml:3:8: 'lines' must be a list, not '3'\n"),
    (
      "board: b\ntitle: B\nlines:\n  - line: A\n",
      "b.yaml:4:5: no chip for line 'A'; add chip: LABEL\n"
    ),
    (
      "board: b\ntitle: B\nchip: c\nlines:\n  - { line: A, pin: 65 }\n",
      "b.yaml:5:21: 'pin' in line 'A' must be a pin number, not '65'\n"
    ),
    (
      "board: b\ntitle: B\nchip: c\nlines:\n  - { line: A, pin: 1 }\n  - { line: B, pin: 1, also: [A] }\n",
      "b.yaml:6:5: two lines are called 'A'\nb.yaml:6:5: pin 1 is given twice\n"
    ),
    (
      "board: b\ntitle: B\nchip: c\nsupply: { GND: [1] }\nlines:\n  - { line: A, pin: 1 }\n",
      "b.yaml:6:5: pin 1 is GND as well\n"
    ),
    (
      "board: b\ntitle: B\nsupply: { GND: 6 }\n",
      "b.yaml:3:16: expected a list of pins, not '6'\n"
    ),
    (
      "board: b\ntitle: B\nsupply: [6]\n",
      "b.yaml:3:9: 'supply' must be a mapping like { GND: [6, 9] }, not a list\n"
    ),
    (
      "board: b\ntitle: B\nbuses:\n  - { bus: i2c-1, devise: /dev/i2c-1 }\n",
      "b.yaml:4:19: unknown key 'devise' in bus 'i2c-1'; did you mean 'device'?\n"
    ),
  ])
  func `what is wrong in a board file is reported`(text: String, expected: String) {
    do throws(ConfigurationErrors) {
      _ = try BoardDescription.load(source(text, name: "b.yaml"), surroundings: TestSurroundings())
      Issue.record("nothing was reported")
    } catch {
      #expect(error.text == expected)
    }
  }
}
