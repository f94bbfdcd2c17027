import Boards
import Configuration
import DeviceFile
import DeviceRuntime
import MQTTConnection
import Modules
import Testing

/// What messages suggest, and what becomes of a file whose author believes them.
struct SuggestionTests {
  static let catalogue =
    BadDeviceTests.deviceInputs + BadDeviceTests.boardInputs + BadModuleTests.moduleInputs
    + BadModuleTests.safetyInputs + BadModuleTests.sensorInputs + BadBrokerTests.brokerInputs
    + BadBrokerTests.substitutionInputs + BadSyntaxTests.syntaxInputs + inputs

  @Test(arguments: catalogue)
  func `a file that follows a suggestion has one error less and none more`(input: BadInput) {
    let found = list(input.text)
    for error in found where error.mark.file == "device.yaml" {
      for result in Following(text: input.text, error: error).results ?? [] {
        // What a board has not is only known when there is one.
        var left = list(result).map(\.message).filter { !$0.contains("has no line 'A1'") }
        for other in found where !(other.mark.isSame(as: error.mark) && other.message == error.message) {
          if let index = left.firstIndex(of: other.message) { left.remove(at: index) }
        }
        #expect(left.isEmpty, "\(error.text): \(result)")
      }
    }
  }

  @Test func `every suggestion is either followed here or known to name nothing that could be written`() {
    var followed = 0
    var given: Set<String> = []
    for input in SuggestionTests.catalogue {
      for error in list(input.text) where error.suggestion != nil {
        if Following(text: input.text, error: error).results != nil {
          followed += 1
        } else {
          let known = SuggestionTests.advice.filter { error.suggestion!.hasPrefix($0) }
          #expect(!known.isEmpty, "\(error.text)")
          given.formUnion(known)
        }
      }
    }
    #expect(followed > 75)
    #expect(Set(SuggestionTests.advice).subtracting(given).isEmpty)
  }

  /// What has to be done, where only the author knows what to write.
  private static let advice = [
    "YAML", "a module is a", "add chip: LABEL", "begin each",
    "for example ", "give ",
    "it begins with",
    "it is for ws",
    "it lists the", "keep one document", "keep one of them", "known keys are", "leave the path out",
    "look at ",
    "MQTT needs both", "openssl ", "put ", "set it", "the broker wants", "the device uses it",
    "say '", "the only one is",
    "write '", "write ${", "write IPv6", "write a whole number", "write mqtt://, ", "write mqtts",
    "write socks5",
    "write the value",
  ]

  @Test(arguments: inputs)
  func `nothing else is taken for a slip of the finger`(input: BadInput) {
    #expect(errors(input.text) == input.errors)
  }

  private func list(_ text: String) -> [ConfigurationError] {
    do throws(ConfigurationErrors) {
      _ = try load(text)
      return []
    } catch {
      return error.list
    }
  }

  // MARK: - Parts

  private static func driver(_ name: String, _ suggestion: String) -> BadInput {
    let quoted = "'" + name + "'"
    return BadInput(
      "driver \(name)", modules("- sensor: air", "  driver: \(name)", "  bus: i2c-1"),
      "6:13: unknown driver \(quoted) in sensor 'air'; \(suggestion)")
  }

  private static let noDriver =
    "'sensor' has no driver for that chip yet; drivers are TMP105, SHT3x and BMP280"

  static let inputs =
    ["BME280", "BMP180", "BMP388", "SHT4x", "SHT40", "DHT22", "DS18B20", "TMP117", "BMP2801"].map {
      driver($0, noDriver)
    }
    + [
      ("sht3x", "SHT3x"), ("SHT31", "SHT3x"), ("SHT31-DIS", "SHT3x"), ("sht-30", "SHT3x"),
      ("TMP75", "TMP105"),
      ("bmp 280", "BMP280"),
    ].map { driver($0, "did you mean '\($1)'?") }
    + [driver("toaster", "drivers are TMP105, SHT3x and BMP280")]
    + boards + versions + proposals + addresses

  // MARK: - Addresses

  /// In hexadecimal without saying so, and with the bit for reading and writing behind.
  private static let addresses =
    [("44", "0x44"), ("45", "0x45"), ("45h", "0x45"), ("0x88", "0x44"), ("0x8b", "0x45")].map { text, meant in
      let address = Int(text) ?? 0x80
      return BadInput(
        "address \(text)", sensor("address: \(text)"),
        "8:14: "
          + (address < 0x78
            ? "SHT3x cannot have the address 0x\(String(address, radix: 16))"
            : "'address' in sensor 'air' must be an I2C address from 0x08 to 0x77, like 0x44, not '\(text)'")
          + "; did you mean '\(meant)'?")
    }

  // MARK: - Boards and versions

  private static let boards =
    ["raspberry-pi-2", "raspberry-pi-6", "orange-pi-4", "pi3"].map {
      BadInput(
        "board \($0)", board($0), "2:8: unknown board '\($0)'; boards are raspberry-pi-4 and simulator")
    }
    + [
      "Raspberry Pi 4", "rpi4", "RPi 4B", "pi4b", "raspberry_pi_4", "Raspberry Pi 4 Model B", "raspberrypi4",
    ].map {
      BadInput(
        "board \($0)", board($0),
        "2:8: unknown board '\($0)'; did you mean 'raspberry-pi-4'? boards are raspberry-pi-4 and simulator")
    }
    + [
      BadInput(
        "a board of other characters", board("My Board"),
        "2:8: unknown board 'My Board'; boards are raspberry-pi-4 and simulator"),
      BadInput(
        "a board that is a file", board("a/b"),
        "2:8: 'board' must be a name of A-Z, a-z, 0-9, '-' and '_', not 'a/b'"),
    ]

  private static func version(_ text: String, _ meant: String?) -> BadInput {
    let suggestion = meant.map { "; did you mean '\($0)'?" } ?? ""
    return BadInput(
      "version \(text)", broker("{ url: mqtt://h, version: \(text) }"),
      "3:33: 'version' in 'mqtt' must be 5 or 3.1.1, not '\(text)'\(suggestion)")
  }

  private static let versions =
    ["5.0", "v5", "V5.0", "mqttv5"].map { version($0, "5") }
    + ["4", "311", "v3.1.1", "mqttv311"].map { version($0, "3.1.1") }
    + ["3", "3.1", "6", "55.1"].map { version($0, nil) }

  // MARK: - What is proposed is free

  private static let proposals = [
    BadInput(
      "a name in capitals", modules("- relay: Big Fan", "  line: GPIO17"),
      "5:12: 'relay' must be a name of A-Z, a-z, 0-9, '-' and '_', not 'Big Fan'"),
    BadInput(
      "a root with a space and an empty level", key("root: my home//garden"),
      "6:7: 'root' must be topic levels of A-Z, a-z, 0-9, '-' and '_', with '/' between them, not 'my home//garden'"
    ),
    BadInput(
      "a keep-alive without unit", broker("{ url: mqtt://h, keep_alive: 60 }"),
      "3:36: 'keep_alive' in 'mqtt' must be a duration with its unit, not '60'; for example 60s"),
    BadInput(
      "a limit of minutes that is too long", relay("safety: { max_on: 999999m }"),
      "7:23: 'max_on' in 'safety' of relay 'fan' must be a duration like 250ms, 10s, 5min or 1h, not '999999m'"
    ),
    BadInput(
      "a limit of nothing without unit", relay("safety: { max_on: 0 }"),
      "7:23: 'max_on' in 'safety' of relay 'fan' must be a duration with its unit, not '0'"),
  ]

  // MARK: - The product's own chips and boards

  @Test func `every part that a driver names leads to that driver`() {
    let features = ConfigurationFeatures(
      kinds: ModuleKind.all, transports: MQTTTransport.all, hasOutbox: true, hasScram: true,
      spellings: .usual)
    func complaint(_ kind: String, _ part: String) -> String? {
      let text = modules("- \(kind): air", "  driver: \(part)", "  bus: i2c-1")
      do throws(ConfigurationErrors) {
        _ = try DeviceConfiguration.load(source(text), features: features, surroundings: TestSurroundings())
        return nil
      } catch {
        return error.list[0].suggestion
      }
    }
    let parts = [
      "sensor": [
        "DS75": "LM75", "LM75BD": "LM75", "LM75A": "LM75", "DPS368": "DPS310", "BH1750FVI": "BH1750",
      ],
      "expander": [
        "PCF8574A": "PCF8574", "mcp23017": "MCP23017", "MCP23017-E/SP": "MCP23017", "TCA9555": "PCA9555",
      ],
    ]
    for (kind, names) in parts {
      for (part, driver) in names {
        #expect(complaint(kind, part) == "did you mean '\(driver)'?", "\(part)")
        #expect(complaint(kind, driver) == nil)
      }
    }
    for part in ["MCP23S17", "PCA9685", "ADS1115", "PCF8575", "PCA9554"] {
      #expect(
        complaint("expander", part)?.hasPrefix(
          "'expander' has no driver for that chip yet; drivers are MCP23017") == true)
    }
    #expect(
      complaint("sensor", "MCP23017") == "'expander' drives that: begin the module with '- expander: '")
  }
}
