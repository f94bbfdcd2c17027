import Testing

struct BadDeviceTests {
  @Test(arguments: deviceInputs)
  func `a wrong key of the device is reported at its place`(input: BadInput) {
    #expect(errors(input.text) == input.errors)
  }

  @Test(arguments: boardInputs)
  func `what the board has not is reported at its place`(input: BadInput) {
    #expect(errors(input.text) == input.errors)
  }

  static let deviceInputs = [
    BadInput(
      "no keys at all", "{}\n",
      "1:1: 'device' is missing; for example device: greenhouse",
      "1:1: 'board' is missing; for example board: raspberry-pi-4",
      "1:1: 'mqtt' is missing; for example mqtt: mqtt://broker.local",
      "1:1: 'modules' is missing; it lists the relays, buttons and sensors"),
    BadInput(
      "an unknown key", key("boards: x"),
      "6:1: unknown key 'boards'; known keys are device, root, board, mqtt, lines, buses, log and modules"),
    BadInput(
      "an unknown key far from every other", key("wifi: x"),
      "6:1: unknown key 'wifi'; known keys are device, root, board, mqtt, lines, buses, log and modules"),
    BadInput(
      "a device without a name", first("device:"),
      "1:8: 'device' must be a name of A-Z, a-z, 0-9, '-' and '_', not nothing"),
    BadInput(
      "a device name with a space and capitals", first("device: Green House"),
      "1:9: 'device' must be a name of A-Z, a-z, 0-9, '-' and '_', not 'Green House'; for example 'Green_House'"
    ),
    BadInput(
      "a device name with a wildcard", first("device: '#'"),
      "1:9: 'device' must be a name of A-Z, a-z, 0-9, '-' and '_', not '#'"),
    BadInput(
      "a device name that is too long", first("device: \(String(repeating: "d", count: 65))"),
      "1:9: 'device' is longer than 64 bytes"),
    BadInput(
      "a device name that is a list", first("device: [a]"),
      "1:9: 'device' must be a name of A-Z, a-z, 0-9, '-' and '_', not a list"),
    BadInput(
      "a level of the log that there is not", key("log: warn"),
      "6:6: 'log' must be debug, info, warning or error, not 'warn'"),
    BadInput(
      "a root with a wildcard", key("root: home/+"),
      "6:7: 'root' must be topic levels of A-Z, a-z, 0-9, '-' and '_', with '/' between them, not 'home/+'"),
    BadInput(
      "a root with an empty level", key("root: home//garden"),
      "6:7: 'root' has an empty level; put single '/' between levels, none at the ends"),
    BadInput(
      "a root with a slash at its end", key("root: home/"),
      "6:7: 'root' has an empty level; put single '/' between levels, none at the ends"),
    BadInput(
      "a root with a slash at its start", key("root: /home"),
      "6:7: 'root' has an empty level; put single '/' between levels, none at the ends"),
    BadInput(
      "an unknown board", board("raspbery-pi-4"),
      "2:8: unknown board 'raspbery-pi-4'; did you mean 'raspberry-pi-4'? boards are raspberry-pi-4 and simulator"
    ),
    BadInput(
      "a board far from every other", board("toaster"),
      "2:8: unknown board 'toaster'; boards are raspberry-pi-4 and simulator"
    ),
    BadInput(
      "a board name that is a path", board("../../etc/passwd"),
      "2:8: 'board' must be a name of A-Z, a-z, 0-9, '-' and '_', not '../../etc/passwd'"),
    BadInput(
      "modules that are a mapping", modules("relay: fan"),
      "5:3: 'modules' must be a list of modules, not a mapping; begin each with '- ', for example - relay: fan"
    ),
    BadInput(
      "modules that are nothing", device(""),
      "4:9: 'modules' must be a list of modules, not nothing; begin each with '- ', for example - relay: fan"),
    BadInput(
      "modules that are a word", modules("fan"),
      "5:3: 'modules' must be a list of modules, not 'fan'; begin each with '- ', for example - relay: fan"),
  ]

  static let boardInputs = [
    BadInput(
      "a line that the board has not", modules("- relay: fan", "  line: GPIO71"),
      "6:11: simulator has no line 'GPIO71'; lines are GPIO0…GPIO27"),
    BadInput(
      "a line far from every other", modules("- relay: fan", "  line: relay-output"),
      "6:11: simulator has no line 'relay-output'; lines are GPIO0…GPIO27"),
    BadInput(
      "a pin that is ground", modules("- relay: fan", "  line: pin 6"),
      "6:11: pin 6 of simulator is GND, not a line"),
    BadInput(
      "a pin that is a supply", modules("- relay: fan", "  line: pin 1"),
      "6:11: pin 1 of simulator is 3.3V, not a line"),
    BadInput(
      "a pin that is not there", modules("- relay: fan", "  line: pin 41"),
      "6:11: simulator has no line 'pin 41'; lines are GPIO0…GPIO27"),
    BadInput(
      "a bare number", modules("- relay: fan", "  line: 17"),
      "6:11: simulator has no line '17'; did you mean 'GPIO17'?"),
    BadInput(
      "a bare number of a line that is taken",
      modules("- relay: fan", "  line: 17", "- button: door", "  line: GPIO17"),
      "6:11: simulator has no line '17'; lines are GPIO0…GPIO27"),
    BadInput(
      "a slip of a line that is taken",
      modules("- relay: fan", "  line: GPO5", "- button: door", "  line: wPi 21"),
      "6:11: simulator has no line 'GPO5'; lines are GPIO0…GPIO27"),
    BadInput(
      "a bare number that is a line's and a pin's", modules("- relay: fan", "  line: 5"),
      "6:11: simulator has no line '5'; did you mean 'GPIO5', or 'pin 5', which is GPIO3?"),
    BadInput(
      "a bare number that is a pin's", modules("- relay: fan", "  line: 29"),
      "6:11: simulator has no line '29'; did you mean 'pin 29'?"),
    BadInput(
      "a pin in the place of a line", modules("- relay: fan", "  pin: 29", "  active: low"),
      "6:10: 'pin' in relay 'fan' can be a pin of the header or a line of the chip; write line: pin 29 or line: GPIO29"
    ),
    BadInput(
      "a supply in another spelling", modules("- relay: fan", "  line: Pin6"),
      "6:11: pin 6 of simulator is GND, not a line"),
    BadInput(
      "a line in another spelling that is used twice",
      modules("- relay: fan", "  line: wPi 0", "- button: door", "  line: pin11"),
      "8:11: line GPIO17 is already used by relay 'fan' at device.yaml:6"),
    BadInput(
      "a line of a bus in another spelling",
      modules("- sensor: air", "  driver: SHT3x", "  bus: 1", "- relay: fan", "  line: gpio2"),
      "9:11: line GPIO2 belongs to bus i2c-1, which has a sensor on it"),
    BadInput(
      "a line of the device file without its chip",
      modules("- relay: fan", "  line: LAMP") + "lines: [{ line: LAMP }]\n",
      "7:9: no chip for line 'LAMP'; add chip: LABEL"),
    BadInput(
      "a line of the device file that is one of the board's",
      modules("- relay: fan", "  line: LAMP") + "lines: [{ line: LAMP, chip: simulator, pin: 29 }]\n",
      "7:9: pin 29 is given twice"),
    BadInput(
      "a line of the device file that is another name for nothing",
      modules("- relay: fan", "  line: GPIO5") + "lines: [{ line: LAMP, is: GPIO99 }]\n",
      "7:27: the board has no line 'GPIO99'"),
    BadInput(
      "a line of the device file that stands there twice",
      modules("- relay: fan", "  line: LAMP")
        + "lines: [{ line: LAMP, chip: simulator }, { line: LAMP, chip: other }]\n",
      "7:42: two lines are called 'LAMP'"),
    BadInput(
      "a key that lines have not",
      modules("- relay: fan", "  line: LAMP") + "lines: [{ line: LAMP, chip: simulator, pul: up }]\n",
      "7:40: unknown key 'pul' in line 'LAMP'; did you mean 'pull'?"),
    BadInput(
      "lines that are no list", modules("[]") + "lines: LAMP\n", "6:8: 'lines' must be a list, not 'LAMP'"),
    BadInput(
      "a line used twice", modules("- relay: fan", "  line: GPIO17", "- button: door", "  line: GPIO17"),
      "8:11: line GPIO17 is already used by relay 'fan' at device.yaml:6"),
    BadInput(
      "a line used twice by two names",
      modules("- relay: fan", "  line: GPIO17", "- button: door", "  line: pin 11"),
      "8:11: line GPIO17 is already used by relay 'fan' at device.yaml:6"),
    BadInput(
      "a line of a bus with a sensor",
      modules("- relay: fan", "  line: GPIO3", "- sensor: air", "  driver: SHT3x", "  bus: i2c-1"),
      "6:11: line GPIO3 belongs to bus i2c-1, which has a sensor on it"),
    BadInput(
      "a line used twice on a board that is not there",
      device("  - relay: fan\n    line: A1\n  - button: door\n    line: A1\n", board: "simulater"),
      "2:8: unknown board 'simulater'; did you mean 'simulator'? boards are raspberry-pi-4 and simulator",
      "8:11: line A1 is already used by relay 'fan' at device.yaml:6"),
  ]
}
