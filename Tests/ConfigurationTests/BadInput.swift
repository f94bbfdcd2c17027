import Testing

/// A device file with something wrong in it, and what the user reads of it.
struct BadInput: CustomTestStringConvertible, Sendable {
  let title: String
  let text: String
  let errors: [String]

  init(_ title: String, _ text: String, _ errors: String...) {
    self.title = title
    self.text = text
    self.errors = errors.map { "device.yaml:" + $0 }
  }

  var testDescription: String { title }
}

// Device files around one wrong thing. The first four lines are the device's, modules begin in line 5.

/// Modules, line by line.
func modules(_ lines: String...) -> String {
  device(lines.map { "  " + $0 + "\n" }.joined())
}

/// A relay whose third line (line 7) is the given one.
func relay(_ line: String) -> String { modules("- relay: fan", "  line: GPIO17", "  " + line) }

/// A button whose third line (line 7) is the given one.
func button(_ line: String) -> String { modules("- button: door", "  line: GPIO27", "  " + line) }

/// A sensor whose fourth line (line 8) is the given one.
func sensor(_ line: String) -> String {
  modules("- sensor: air", "  driver: SHT3x", "  bus: i2c-1", "  " + line)
}

/// A device at the given broker.
func broker(_ mqtt: String) -> String { device("  []\n", mqtt: mqtt) }

/// A device on the given board.
func board(_ name: String) -> String { device("  []\n", board: name) }

/// A device with a first line of its own.
func first(_ line: String) -> String {
  line + "\nboard: simulator\nmqtt: mqtt://h\nmodules: []\n"
}

/// A device with one key more, in line 6.
func key(_ line: String) -> String { modules("[]") + line + "\n" }
