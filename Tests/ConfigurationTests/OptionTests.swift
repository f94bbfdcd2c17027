import Boards
import Configuration
import DeviceFile
import DeviceRuntime
import HAL
import Testing

@testable import Modules

/// Every option of a device file does something.
struct OptionTests {
  private func device(_ text: String) throws -> DeviceDescription {
    try load(text).device
  }

  private func relay(_ lines: String) throws -> OutputClaim {
    try device(modules("- relay: fan", "  line: GPIO5", lines)).needs.claims.outputs[0]
  }

  private func policy(_ lines: String) throws -> SafetyPolicy {
    let module = try device(modules("- relay: fan", "  line: GPIO5", lines)).modules[0]
    return try #require(module as? Relay).gate.policy
  }

  private func button(_ lines: String...) throws -> InputClaim {
    let text = "device: d\nboard: simulator\nmqtt: mqtt://h\nmodules:\n  - button: door\n    line: GPIO27\n"
    return try device(text + lines.map { "    \($0)\n" }.joined()).needs.claims.inputs[0]
  }

  private func sensor(_ lines: String...) throws -> (target: TargetClaim, period: Duration) {
    let text = "device: d\nboard: simulator\nmqtt: mqtt://h\nmodules:\n  - sensor: air\n    bus: i2c-1\n"
    let device = try device(text + lines.map { "    \($0)\n" }.joined())
    return (device.needs.claims.targets[0], try #require(device.modules[0] as? SensorModule).period)
  }

  private func broker(_ mqtt: String) throws -> BrokerDescription {
    try device(ConfigurationTests.broker(mqtt)).broker
  }

  @Test func `device and root make the topics`() throws {
    #expect(try device(modules("[]")).topicPrefix == "swiftlet/d")
    #expect(try device(key("root: Home/garden_1")).topicPrefix == "Home/garden_1/d")
  }

  @Test func `log is how much is logged`() throws {
    #expect(try device(modules("[]")).log == .info)
    #expect(try device(key("log: debug")).log == .debug)
    #expect(try device(key("log: error")).log == .error)
  }

  @Test func `names may have capitals`() throws {
    let text = "device: GreenHouse_1\nboard: simulator\nmqtt: mqtt://h\nmodules:\n"
    let device = try device(text + "  - relay: Fan\n    line: GPIO5\n  - relay: fan\n    line: GPIO6\n")
    #expect(device.topicPrefix == "swiftlet/GreenHouse_1")
    #expect(device.modules.map(\.name) == ["Fan", "fan"])
  }

  @Test func `on_payload and off_payload are what states are called`() throws {
    let text = "on_payload: 1\n    off_payload: 'closed'"
    let relay = try #require(try device(ConfigurationTests.relay(text)).modules[0] as? Relay)
    #expect(relay.words.on == "1" && relay.words.off == "closed")
    let door = try #require(
      try device(ConfigurationTests.button("on_payload: open")).modules[0] as? BinaryInput)
    #expect(door.words.on == "open" && door.words.off == "OFF")
  }

  @Test func `an empty list is a device without modules`() throws {
    #expect(try device(modules("[]")).modules.isEmpty)
  }

  @Test func `board is the one of the file unless the caller has another one`() throws {
    let text = board("raspberry-pi-4")
    #expect(try load(text).board.name == "raspberry-pi-4")
    #expect(try load(text, board: "simulator").board.name == "simulator")
    #expect(try load(text, board: "simulator").board.simulated)
    let withoutBoard = "device: d\nmqtt: mqtt://h\nmodules: []\n"
    #expect(try load(withoutBoard, board: "simulator").board.name == "simulator")
    #expect(throws: ConfigurationErrors.self) { try load(withoutBoard) }
  }

  @Test func `line is a name or a pin`() throws {
    for (text, line) in [("GPIO17", "GPIO17"), ("pin 11", "GPIO17"), ("pin 40", "GPIO21")] {
      let configuration = try load(modules("- button: door", "  line: \(text)"))
      let button = configuration.device.needs.claims.inputs[0]
      #expect(configuration.board.line(button.name)?.name == line && button.line?.name == line)
      #expect(button.mark.text == "device.yaml:6:11" && button.claimant.mark.text == "device.yaml:5:5")
    }
  }

  @Test(arguments: [
    "pin29", "Pin 29", "PIN_29", "BCM5", "bcm 5", "wPi 21", "WPI21", "gpio5", "GPIO_5", "gpio 5",
  ])
  func `a line is understood in other spellings`(text: String) throws {
    for board in ["simulator", "raspberry-pi-4"] {
      let configuration = try load(
        ConfigurationTests.device("  - relay: fan\n    line: \(text)\n", board: board))
      #expect(configuration.device.needs.claims.outputs[0].line?.name == "GPIO5")
    }
  }

  @Test(arguments: ["i2c-1", "1", "/dev/i2c-1", "I2C1", "i2c_1"])
  func `a bus is understood in other spellings`(text: String) throws {
    let device = try device(modules("- sensor: air", "  driver: SHT3x", "  bus: \(text)"))
    #expect(device.needs.claims.targets[0].bus?.name == "i2c-1")
  }

  @Test func `lines and buses are added to the board's`() throws {
    let text =
      modules(
        "- relay: fan", "  line: LAMP", "- button: door", "  line: EXT 3", "- relay: pump", "  line: BELL")
      + "lines:\n  - { line: LAMP, chip: pcf8574, pull: up }\n  - { line: EXT3, chip: gpio-mockup, also: [ext-3] }\n"
      + "  - { line: BELL, is: GPIO6 }\n"
    let configuration = try load(text)
    let lines = configuration.device.needs.claims.lines
    #expect(lines.map { $0.line?.name } == ["LAMP", "EXT3", "BELL"])
    #expect(lines.map { $0.line?.chip } == ["pcf8574", "gpio-mockup", "simulator"])
    #expect(lines[0].line?.powerUpPull == .up && lines[1].line?.kernelNames == ["EXT3", "ext-3"])
    #expect(lines[2].line?.kernelNames == ["GPIO6"])
    #expect(configuration.warnings.map(\.text).contains { $0.contains("LAMP is pulled up at power-up") })
    let sensors = modules(
      "- sensor: air", "  driver: SHT3x", "  bus: i2c-3", "- sensor: soil", "  driver: SHT3x", "  bus: far")
    let targets = try load(
      sensors + "buses: [{ bus: i2c-3 }, { bus: far, device: /dev/i2c-22, enable: load mux }]\n"
    ).device.needs.claims.targets
    #expect(targets.map { $0.bus?.device } == ["/dev/i2c-3", "/dev/i2c-22"])
    #expect(targets[1].bus?.enableHint == "load mux")
  }

  @Test func `retain and expires are a reading's`() throws {
    func air(_ lines: String...) throws -> SensorModule {
      let text =
        "device: d\nboard: simulator\nmqtt: mqtt://h\nmodules:\n  - sensor: air\n    driver: SHT3x\n    bus: i2c-1\n"
      return try #require(
        try device(text + lines.map { "    \($0)\n" }.joined()).modules[0] as? SensorModule)
    }
    #expect(try air("every: 1h").entities.allSatisfy { !$0.access.contains(.retained) })
    let retained = try air("retain: yes", "expires: 2h")
    #expect(retained.entities.count == 2 && retained.entities.allSatisfy { $0.access.contains(.retained) })
    #expect(retained.expires == 7_200)
    #expect(try air("keep: memory", "expires: 90s").expires == 90)
    let old = ConfigurationTests.device(
      "  - sensor: air\n    driver: SHT3x\n    bus: i2c-1\n    retain: yes\n    expires: 1h\n",
      mqtt: "{ url: mqtt://h, version: 3.1.1 }")
    #expect(
      try load(old).warnings.map(\.text) == ["device.yaml:9:14: with MQTT 3.1.1 readings do not expire"])
  }

  @Test func `active is high unless it is low`() throws {
    #expect(try relay("  active: low").activeLow)
    #expect(try !relay("  active: high").activeLow)
    #expect(try !button().activeLow)
    #expect(try button("active: low").activeLow)
  }

  @Test func `start is off unless it is on, in all of YAML's words`() throws {
    for word in ["on", "On", "yes", "true", "TRUE", "\"on\""] {
      #expect(try policy("  safety: { start: \(word) }").start)
    }
    for word in ["off", "OFF", "no", "false", "'off'"] {
      #expect(try !policy("  safety: { start: \(word) }").start)
    }
    #expect(try !policy("  safety: {}").start)
  }

  @Test func `stop is off, on or hold`() throws {
    #expect(try policy("  active: low").stop == false)
    #expect(try policy("  safety: { stop: off }").stop == false)
    #expect(try policy("  safety: { stop: yes }").stop == true)
    #expect(try policy("  safety: { stop: hold }").stop == nil)
  }

  @Test func `broker_lost has a time and a state`() throws {
    let lost = try policy("  safety: { broker_lost: { after: 2min, then: on } }").brokerLost
    #expect(lost?.after == .milliseconds(120_000) && lost?.then == true)
    #expect(try policy("  safety: { start: off }").brokerLost == nil)
  }

  @Test func `max_on limits, in every unit`() throws {
    let durations: [(String, Int64)] = [
      ("1ms", 1), ("250ms", 250), ("10s", 10_000), ("5min", 300_000), ("1h", 3_600_000),
      ("366d", 366 * 86_400_000), ("30 s", 30_000),
    ]
    for (text, milliseconds) in durations {
      #expect(try policy("  safety: { max_on: \(text) }").maxOn == .milliseconds(milliseconds))
    }
    #expect(try policy("  safety: {}").maxOn == nil)
  }

  @Test func `pull holds a button at its idle level unless it says otherwise`() throws {
    #expect(try button().pull == .down)
    #expect(try button("active: low").pull == .up)
    #expect(try button("pull: up").pull == .up)
    #expect(try button("active: low", "pull: down").pull == .down)
    #expect(try button("pull: none").pull == .unpulled)
  }

  @Test func `debounce is 30 ms unless it says otherwise`() throws {
    #expect(try button().debounce == .milliseconds(30))
    #expect(try button("debounce: 0ms").debounce == .zero)
    #expect(try button("debounce: 10s").debounce == .seconds(10))
  }

  @Test func `driver, bus, address and every make a sensor`() throws {
    let usual = try sensor("driver: SHT3x")
    #expect(usual.target.chip == "SHT3x" && usual.target.busName == "i2c-1" && usual.target.address == 0x44)
    #expect(usual.period == .seconds(10))
    let other = try sensor("driver: BMP280", "address: 0x77", "every: 1min")
    #expect(other.target.chip == "BMP280" && other.target.address == 0x77 && other.period == .seconds(60))
    #expect(try sensor("driver: SHT3x", "address: 69").target.address == 0x45)
  }

  @Test func `a broker URL has host, port, user and password`() throws {
    let short = try broker("mqtt://broker.local")
    #expect(short.servers[0].host == "broker.local" && short.servers[0].port == 1883)
    #expect(short.username == nil && short.password == nil)
    let long = try broker("MQTT://us%65r:p%40ss:w%2Frd@192.168.1.2:8883/")
    #expect(long.servers[0].host == "192.168.1.2" && long.servers[0].port == 8883)
    #expect(long.username == "user" && long.password == "p@ss:w/rd")
    let address = try broker("'mqtt://me@[::1]:1884'")
    #expect(address.servers[0].host == "::1" && address.servers[0].port == 1884)
    #expect(address.username == "me" && address.password == nil)
    #expect(try broker("'mqtt://[fe80::1%eth0]'").servers[0].host == "fe80::1%eth0")
  }

  @Test func `a broker mapping has user, password, keep-alive and client`() throws {
    let full = try broker(
      "{ url: mqtt://h:1, username: u, password: p, keep_alive: 2min, client_id: me }")
    #expect(
      full.servers[0].host == "h" && full.servers[0].port == 1 && full.username == "u" && full.password == "p"
    )
    #expect(full.keepAliveSeconds == 120 && full.clientID == "me")
    #expect(full.mark.text == "device.yaml:3:14")
    let bare = try broker("{ url: mqtt://h }")
    #expect(bare.keepAliveSeconds == 60 && bare.clientID == "swiftlet-d" && bare.version == .v5)
    #expect(try broker("{ url: mqtt://h, version: 3.1.1 }").version == .v3_1_1)
    #expect(try broker("{ url: mqtt://h, version: 5 }").version == .v5)
  }
}
