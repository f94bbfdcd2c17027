import Testing

struct BadModuleTests {
  @Test(arguments: moduleInputs)
  func `a wrong module is reported at its place`(input: BadInput) {
    #expect(errors(input.text) == input.errors)
  }

  @Test(arguments: safetyInputs)
  func `a wrong safety rule is reported at its place`(input: BadInput) {
    #expect(errors(input.text) == input.errors)
  }

  @Test(arguments: sensorInputs)
  func `a wrong sensor is reported at its place`(input: BadInput) {
    #expect(errors(input.text) == input.errors)
  }

  static let moduleInputs = [
    BadInput(
      "a module that is a word", modules("- fan"),
      "5:5: expected a module like 'relay: fan', not 'fan'"),
    BadInput(
      "a module that is nothing", modules("-"),
      "5:4: expected a module like 'relay: fan', not nothing"),
    BadInput(
      "a module without keys", modules("- {}"),
      "5:5: a module without anything in it; it begins with relay, button or sensor"),
    BadInput(
      "an unknown kind", modules("- realy: fan", "  line: GPIO17"),
      "5:5: unknown module kind 'realy'; did you mean 'relay'?"),
    BadInput(
      "a kind far from every other", modules("- toaster: fan", "  line: GPIO17"),
      "5:5: unknown module kind 'toaster'; a module is a relay, button or sensor"),
    BadInput(
      "two kinds", relay("button: door"),
      "5:5: a module is one thing, not relay and button; begin each module with its own '- '"),
    BadInput(
      "a module without a name", modules("- relay:", "  line: GPIO17"),
      "5:11: 'relay' must be a name of A-Z, a-z, 0-9, '-' and '_', not nothing"),
    BadInput(
      "a module name with a slash", modules("- relay: a/b", "  line: GPIO17"),
      "5:12: 'relay' must be a name of A-Z, a-z, 0-9, '-' and '_', not 'a/b'"),
    BadInput(
      "a module name of other letters", modules("- relay: Lüfter", "  line: GPIO17"),
      "5:12: 'relay' must be a name of A-Z, a-z, 0-9, '-' and '_', not 'Lüfter'"),
    BadInput(
      "a reserved name", modules("- relay: availability", "  line: GPIO17"),
      "5:12: 'availability' is a reserved name; the device uses it in its own topics"),
    BadInput(
      "a name taken twice", modules("- relay: fan", "  line: GPIO17", "- button: fan", "  line: GPIO27"),
      "7:5: the name 'fan' is already taken by relay 'fan' at device.yaml:5"),
    BadInput(
      "a slip in a key", relay("actve: low"),
      "7:5: unknown key 'actve' in relay 'fan'; did you mean 'active'?"),
    BadInput(
      "a key of another kind", relay("pull: up"),
      "7:5: unknown key 'pull' in relay 'fan'; known keys are relay, line, active, safety, pulse, on_payload and off_payload"
    ),
    BadInput(
      "a key in the wrong case", relay("Active: low"),
      "7:5: unknown key 'Active' in relay 'fan'; did you mean 'active'?"),
    BadInput(
      "a missing line", modules("- relay: fan", "  active: low"),
      "5:5: 'line' is missing in relay 'fan'; for example line: GPIO17"),
    BadInput(
      "an empty line", modules("- relay: fan", "  line:"),
      "6:10: 'line' in relay 'fan' must be a line like GPIO17, not nothing"),
    BadInput(
      "a line that is a list", modules("- relay: fan", "  line: [GPIO17]"),
      "6:11: 'line' in relay 'fan' must be a line like GPIO17, not a list"),
    BadInput(
      "a wrong level", relay("active: lo"),
      "7:13: 'active' in relay 'fan' must be high or low, not 'lo'; did you mean 'low'?"),
    BadInput(
      "a level that is a state", relay("active: on"),
      "7:13: 'active' in relay 'fan' must be high or low, not 'on'"),
    BadInput(
      "a pulse that might not end", relay("pulse: 500ms\n    safety: { stop: hold }"),
      "7:12: 'pulse' in relay 'fan' needs 'stop: off' in 'safety', else a pulse might not end"),
    BadInput(
      "a pulse that safety would end", relay("pulse: 10s\n    safety: { max_on: 5s }"),
      "7:12: 'pulse' in relay 'fan' is longer than 'max_on' in 'safety', which would end it"),
    BadInput(
      "one word for both states", relay("off_payload: 'on'"),
      "7:18: on and off are the same word in relay 'fan'; give both 'on_payload' and 'off_payload'"),
    BadInput(
      "a word for on that is the usual one for off", relay("on_payload: 'off'"),
      "7:17: on and off are the same word in relay 'fan'; give both 'on_payload' and 'off_payload'"),
    BadInput(
      "a word for a state that is another command", relay("on_payload: toggle"),
      "7:17: 'on_payload' in relay 'fan' cannot be TOGGLE, which is another command"),
    BadInput(
      "a word for a state that is white", button("on_payload: ' '"),
      "7:17: 'on_payload' in button 'door' must be a word for a state, not ' '"),
    BadInput(
      "a word for a state that is a list", button("on_payload: [on]"),
      "7:17: 'on_payload' in button 'door' must be a word for a state, not a list"),
    BadInput(
      "a word for a state that is too long", button("on_payload: \(String(repeating: "o", count: 513))"),
      "7:17: 'on_payload' in button 'door' is longer than 512 bytes"),
    BadInput(
      "a wrong pull", button("pull: upp"),
      "7:11: 'pull' in button 'door' must be up, down or none, not 'upp'; did you mean 'up'?"),
    BadInput(
      "a debounce without unit", button("debounce: 30"),
      "7:15: 'debounce' in button 'door' must be a duration with its unit, not '30'; for example 30s or 30ms"),
    BadInput(
      "a debounce that is too long", button("debounce: 2h"),
      "7:15: 'debounce' in button 'door' must be 1h or shorter, not '2h'"),
  ]

  static let safetyInputs = [
    BadInput(
      "safety that is a word", relay("safety: off"),
      "7:13: expected a mapping like { start: off, max_on: 30min }, not 'off'"),
    BadInput(
      "an unknown key in safety", relay("safety: { strat: off }"),
      "7:15: unknown key 'strat' in 'safety' of relay 'fan'; did you mean 'start'?"),
    BadInput(
      "a start that is no state", relay("safety: { start: of }"),
      "7:22: 'start' in 'safety' of relay 'fan' must be on or off, not 'of'; did you mean 'off'?"),
    BadInput(
      "a start in other words", relay("safety: { start: noo }"),
      "7:22: 'start' in 'safety' of relay 'fan' must be on or off, not 'noo'"),
    BadInput(
      "a start that holds", relay("safety: { start: hold }"),
      "7:22: 'start' in 'safety' of relay 'fan' must be on or off, not 'hold'"),
    BadInput(
      "a stop that is no state", relay("safety: { stop: hol }"),
      "7:21: 'stop' in 'safety' of relay 'fan' must be off, on or hold, not 'hol'; did you mean 'hold'?"),
    BadInput(
      "a stop that is a list", relay("safety: { stop: [on] }"),
      "7:21: 'stop' in 'safety' of relay 'fan' must be on, off or hold, not a list"),
    BadInput(
      "a limit of nothing", relay("safety: { max_on: 0s }"),
      "7:23: 'max_on' in 'safety' of relay 'fan' must be longer than 0s; leave it out for no limit"),
    BadInput(
      "a negative limit", relay("safety: { max_on: -5s }"),
      "7:23: 'max_on' in 'safety' of relay 'fan' must be a duration like 250ms, 10s, 5min or 1h, not '-5s'"),
    BadInput(
      "a limit in months", relay("safety: { max_on: 2months }"),
      "7:23: 'max_on' in 'safety' of relay 'fan' must be a duration like 250ms, 10s, 5min or 1h, not '2months'"
    ),
    BadInput(
      "an ambiguous unit", relay("safety: { max_on: 30m }"),
      "7:23: 'max_on' in 'safety' of relay 'fan' must be a duration like 250ms, 10s, 5min or 1h, not '30m'; write 30min for minutes"
    ),
    BadInput(
      "a fraction", relay("safety: { max_on: 1.5h }"),
      "7:23: 'max_on' in 'safety' of relay 'fan' must be a duration like 250ms, 10s, 5min or 1h, not '1.5h'; write a whole number of a smaller unit"
    ),
    BadInput(
      "a limit of centuries", relay("safety: { max_on: 99999d }"),
      "7:23: 'max_on' in 'safety' of relay 'fan' is longer than 366 days"),
    BadInput(
      "the most days that are a number", relay("safety: { max_on: 9999999999d }"),
      "7:23: 'max_on' in 'safety' of relay 'fan' is longer than 366 days"),
    BadInput(
      "a limit of twelve digits", relay("safety: { max_on: 999999999999d }"),
      "7:23: 'max_on' in 'safety' of relay 'fan' must be a duration like 250ms, 10s, 5min or 1h, not '999999999999d'"
    ),
    BadInput(
      "a limit of too many digits", relay("safety: { max_on: 99999999999999999999h }"),
      "7:23: 'max_on' in 'safety' of relay 'fan' must be a duration like 250ms, 10s, 5min or 1h, not '99999999999999999999h'"
    ),
    BadInput(
      "a lost broker without details", relay("safety: { broker_lost: 60s }"),
      "7:28: expected a mapping like { after: 60s, then: off }, not '60s'"),
    BadInput(
      "a lost broker without time and state", relay("safety: { broker_lost: {} }"),
      "7:28: 'after' is missing in 'broker_lost' of relay 'fan'; for example after: 60s",
      "7:28: 'then' is missing in 'broker_lost' of relay 'fan'; for example then: off"),
    BadInput(
      "a lost broker with an unknown key",
      relay("safety: { broker_lost: { after: 60s, then: off, than: on } }"),
      "7:53: unknown key 'than' in 'broker_lost' of relay 'fan'; known keys are after and then"),
  ]

  static let sensorInputs = [
    BadInput(
      "a missing driver", modules("- sensor: air", "  bus: i2c-1"),
      "5:5: 'driver' is missing in sensor 'air'; for example driver: TMP105"),
    BadInput(
      "an unknown driver", modules("- sensor: air", "  driver: SHT4x", "  bus: i2c-1"),
      "6:13: unknown driver 'SHT4x' in sensor 'air'; 'sensor' has no driver for that chip yet; drivers are TMP105, SHT3x and BMP280"
    ),
    BadInput(
      "a driver in the wrong case", modules("- sensor: air", "  driver: sht3x", "  bus: i2c-1"),
      "6:13: unknown driver 'sht3x' in sensor 'air'; did you mean 'SHT3x'?"),
    BadInput(
      "a driver far from every other", modules("- sensor: air", "  driver: DHT22", "  bus: i2c-1"),
      "6:13: unknown driver 'DHT22' in sensor 'air'; 'sensor' has no driver for that chip yet; drivers are TMP105, SHT3x and BMP280"
    ),
    BadInput(
      "an end of what is not kept", sensor("expires: 1h"),
      "8:14: 'expires' in sensor 'air' has no effect without 'retain: yes'; say 'retain: yes'"),
    BadInput(
      "an end of what is not to be kept", sensor("retain: no\n    expires: 1h"),
      "9:14: 'expires' in sensor 'air' has no effect without 'retain: yes'; say 'retain: yes'"
    ),
    BadInput(
      "a priority of what is kept elsewhere", sensor("keep: memory\n    priority: high"),
      "9:15: 'priority' in sensor 'air' has no effect without 'keep: disk'; say 'keep: disk'"
    ),
    BadInput(
      "an end that comes at once", sensor("retain: yes\n    expires: 0s"),
      "9:14: 'expires' in sensor 'air' must be 1s or longer, not '0s'"),
    BadInput(
      "a missing bus", modules("- sensor: air", "  driver: SHT3x"),
      "5:5: 'bus' is missing in sensor 'air'; for example bus: i2c-1"),
    BadInput(
      "an unknown bus", modules("- sensor: air", "  driver: SHT3x", "  bus: i2c-11"),
      "7:10: simulator has no bus 'i2c-11'; did you mean 'i2c-1'?"),
    BadInput(
      "a bus that the board has not", modules("- sensor: air", "  driver: SHT3x", "  bus: /dev/i2c-3"),
      "7:10: simulator has no bus '/dev/i2c-3'; buses are i2c-1, add one with buses: [{ bus: i2c-3 }]"),
    BadInput(
      "a bus that is another number", modules("- sensor: air", "  driver: SHT3x", "  bus: 22"),
      "7:10: simulator has no bus '22'; buses are i2c-1, add one with buses: [{ bus: i2c-22 }]"),
    BadInput(
      "a bus of another sort", modules("- sensor: air", "  driver: SHT3x", "  bus: /dev/spidev0.0"),
      "7:10: simulator has no bus '/dev/spidev0.0'; buses are i2c-1"),
    BadInput(
      "a bus called SDA", modules("- sensor: air", "  driver: SHT3x", "  bus: SDA"),
      "7:10: simulator has no bus 'SDA'; buses are i2c-1"),
    BadInput(
      "a bus called spi0", modules("- sensor: air", "  driver: SHT3x", "  bus: spi0"),
      "7:10: simulator has no bus 'spi0'; buses are i2c-1"),
    BadInput(
      "a bus called bus1", modules("- sensor: air", "  driver: SHT3x", "  bus: bus1"),
      "7:10: simulator has no bus 'bus1'; buses are i2c-1"),
    BadInput(
      "one address of a bus in two spellings",
      modules(
        "- sensor: air", "  driver: SHT3x", "  bus: 1", "- sensor: soil", "  driver: SHT3x",
        "  bus: /dev/i2c-1"),
      "8:5: 0x44 on i2c-1 is already used by sensor 'air' at device.yaml:5"),
    BadInput(
      "a bus that is a mapping", modules("- sensor: air", "  driver: SHT3x", "  bus: { i2c: 1 }"),
      "7:10: 'bus' in sensor 'air' must be a bus like i2c-1, not a mapping"),
    BadInput(
      "an address below the range", sensor("address: 0x07"),
      "8:14: 'address' in sensor 'air' must be an I2C address from 0x08 to 0x77, like 0x44, not '0x07'"),
    BadInput(
      "an address above the range", sensor("address: 0x78"),
      "8:14: 'address' in sensor 'air' must be an I2C address from 0x08 to 0x77, like 0x44, not '0x78'"),
    BadInput(
      "an address that the chip cannot have", sensor("address: 0x76"),
      "8:14: SHT3x cannot have the address 0x76; it has 0x44 or 0x45"),
    BadInput(
      "an address in octal", sensor("address: 0104"),
      "8:14: 'address' in sensor 'air' must be an I2C address from 0x08 to 0x77, like 0x44, not '0104'"),
    BadInput(
      "an address that is a word", sensor("address: low"),
      "8:14: 'address' in sensor 'air' must be an I2C address from 0x08 to 0x77, like 0x44, not 'low'"),
    BadInput(
      "an address of too many digits", sensor("address: 0x444444444444444444"),
      "8:14: 'address' in sensor 'air' must be an I2C address from 0x08 to 0x77, like 0x44, not '0x444444444444444444'"
    ),
    BadInput(
      "an address used twice",
      modules(
        "- sensor: air", "  driver: SHT3x", "  bus: i2c-1", "- sensor: soil", "  driver: SHT3x",
        "  bus: i2c-1", "  address: 0x44"),
      "11:14: 0x44 on i2c-1 is already used by sensor 'air' at device.yaml:5"),
    BadInput(
      "a period that is too short", sensor("every: 50ms"),
      "8:12: 'every' in sensor 'air' must be 100ms or longer, not '50ms'"),
    BadInput(
      "a period without unit", sensor("every: 10"),
      "8:12: 'every' in sensor 'air' must be a duration with its unit, not '10'; for example 10s"),
    BadInput(
      "a period that is a word", sensor("every: often"),
      "8:12: 'every' in sensor 'air' must be a duration like 250ms, 10s, 5min or 1h, not 'often'"),
  ]
}
