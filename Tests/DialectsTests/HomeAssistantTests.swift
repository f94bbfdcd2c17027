import DeviceBench
import DeviceFile
import Foundation
import HAL
import ProductVersion
import Simulation
import Testing

private let fan = "  - relay: fan\n    line: L1\n"
private let door = "  - contact: door\n    line: L2\n"
private let air = "  - sensor: air\n    driver: SHT3x\n    bus: i2c-1\n    every: 10s\n"

struct HomeAssistantTests {
  @Test func `a device is told of in one retained document before its states`() throws {
    let device = try HomeAssistantBench(fan)
    let topic = "homeassistant/device/home_den/config"
    let message = try #require(device.bench.server.retained[topic])
    #expect(
      String(decoding: message.payload, as: UTF8.self) == """
        {"dev":{"ids":"home_den","name":"den","mf":"Swiftlet","mdl":"Bench","sw":"\(Version.text)"},\
        "o":{"name":"swiftletd","sw":"\(Version.text)"},"avty":[{"t":"home/den/availability"}],\
        "cmps":{"fan":{"p":"switch","name":"fan","uniq_id":"home_den_fan","def_ent_id":"switch.den_fan",\
        "stat_t":"home/den/fan/state","cmd_t":"home/den/fan/set","pl_on":"ON","pl_off":"OFF",\
        "avty":[{"t":"home/den/availability"},{"t":"home/den/fan/availability"}],"avty_mode":"all"}}}
        """)
    #expect(message.qos == .atLeastOnce)
    let topics = device.bench.server.published.map(\.topic)
    let (document, state) = (topics.firstIndex(of: topic), topics.firstIndex(of: "home/den/fan/state"))
    #expect(try #require(document) < #require(state))
    #expect(
      device.description.retainedTopics.suffix(2) == [topic, "home/den/fan/availability"])
  }

  @Test func `sensors have unit, class, decimals and an expiry of three periods`() throws {
    let json = "    format: json\n"
    let device = try HomeAssistantBench(air + json + door)
    let components = try device.components()
    #expect(Set(components.keys) == ["air_temperature", "air_humidity", "door"])
    let temperature = try #require(components["air_temperature"])
    #expect(temperature["p"] as? String == "sensor")
    #expect(temperature["name"] as? String == "air temperature")
    #expect(temperature["unit_of_meas"] as? String == "°C")
    #expect(temperature["dev_cla"] as? String == "temperature")
    #expect(temperature["stat_cla"] as? String == "measurement")
    #expect(temperature["sug_dsp_prc"] as? Int == 2)
    #expect(temperature["exp_aft"] as? Int == 35)
    #expect(temperature["val_tpl"] as? String == "{{ value_json.value }}")
    #expect(temperature["avty"] == nil)
    #expect(try HomeAssistantBench(air).components()["air_temperature"]?["val_tpl"] == nil)
    #expect(components["door"]?["p"] as? String == "binary_sensor")
    #expect(components["door"]?["cmd_t"] == nil)
  }

  @Test func `every key of a device file is in the document`() throws {
    let keys = "{ discovery_prefix: ha/x, suggested_area: Garden, name: 'A \"B\" \\ C', id: Pinned-1 }"
    let modules =
      fan + "    on_payload: open\n    off_payload: closed\n"
      + "    home_assistant: { name: Big fan, id: f1, icon: 'mdi:fan', device_class: outlet, "
      + "entity_category: config, enabled_by_default: no }\n" + door + "    home_assistant: no\n"
    let device = try HomeAssistantBench(modules, keys)
    #expect(device.announced == ["ha/x/device/Pinned-1/config"])
    let document = try device.document("ha/x/device/Pinned-1/config")
    let about = try #require(document["dev"] as? [String: Any])
    #expect(about["sa"] as? String == "Garden")
    #expect(about["name"] as? String == "A \"B\" \\ C")
    #expect(about["ids"] as? String == "Pinned-1")
    let components = try #require(document["cmps"] as? [String: [String: Any]])
    #expect(Array(components.keys) == ["f1"])
    let entity = try #require(components["f1"])
    #expect(entity["uniq_id"] as? String == "Pinned-1_f1")
    #expect(entity["def_ent_id"] as? String == "switch.pinned_1_f1")
    #expect(entity["stat_t"] as? String == "home/den/fan/state")
    let expected = [
      "name": "Big fan", "ic": "mdi:fan", "dev_cla": "outlet", "ent_cat": "config", "pl_on": "open",
      "pl_off": "closed",
    ]
    for (key, value) in expected { #expect(entity[key] as? String == value) }
    #expect(entity["en"] as? Bool == false)
  }

  @Test func `each entity has a document of its own where that is wished`() throws {
    let device = try HomeAssistantBench(fan + air, "{ discovery: entity }")
    #expect(
      device.announced == [
        "homeassistant/switch/home_den/fan/config", "homeassistant/sensor/home_den/air_temperature/config",
        "homeassistant/sensor/home_den/air_humidity/config",
      ])
    let document = try device.document("homeassistant/switch/home_den/fan/config")
    #expect(document["p"] == nil)
    #expect((document["dev"] as? [String: Any])?["ids"] as? String == "home_den")
    #expect((document["avty"] as? [Any])?.count == 2)
  }

  @Test func `a device too large for one message has a document for each entity`() throws {
    let many = (0..<40).map { "  - relay: a_relay_with_a_long_name_\($0)\n    line: L\($0)\n" }.joined()
    let device = try HomeAssistantBench(many)
    #expect(device.announced.count == 40)
    #expect(device.announced.allSatisfy { $0.hasPrefix("homeassistant/switch/home_den/") })
    #expect(device.description.retainedTopics.filter { $0.hasSuffix("/config") } == device.announced)
    #expect(device.bench.retained("a_relay_with_a_long_name_39/state") == "OFF")
  }

  @Test func `a broker that takes only short messages gets one for each entity`() throws {
    let device = try HomeAssistantBench(fan + air + door) { $0.maximumPacketSize = 700 }
    #expect(device.announced.count == 4)
    #expect(!device.announced.contains("homeassistant/device/home_den/config"))
    #expect(device.bench.retained("fan/state") == "OFF")
  }

  @Test func `when Home Assistant has started everything is published again after the device's own delay`()
    throws
  {
    // What the broker has kept tells of a start that is past.
    let device = try HomeAssistantBench(fan) {
      $0.send("homeassistant/status", Array("online".utf8), retain: true)
    }
    device.homeAssistantSays("offline")
    device.bench.run(for: .seconds(10))
    let count = device.announced.count
    #expect(count == 1)
    device.homeAssistantSays("online", retain: true)
    let said = device.bench.clock.now
    _ = device.bench.news()
    var delay: Duration?
    device.bench.run(for: .seconds(10)) {
      if delay == nil, device.announced.count > count { delay = device.bench.clock.now - said }
    }
    #expect(device.announced.count == count + 1)
    #expect(device.bench.new(on: "fan/state") == ["OFF"])
    #expect(try #require(delay) < .seconds(5))
  }

  @Test func `a sensor that measures seldom measures again when Home Assistant listens`() throws {
    let device = try HomeAssistantBench(air.replacingOccurrences(of: "10s", with: "1h"))
    device.bench.run(for: .seconds(1))
    _ = device.bench.news()
    device.bench.run(for: .seconds(5))
    #expect(device.bench.new(on: "air/temperature").count == 1)
    device.bench.run(for: .seconds(1_800))
    #expect(device.bench.new(on: "air/temperature").count == 1)
  }

  @Test func `a module whose line fails is not there for Home Assistant`() throws {
    let device = try HomeAssistantBench(door)
    #expect(device.bench.retained("door/availability") == "online")
    try #require(device.board.input("door")).fail(.chipGone)
    device.bench.settle()
    #expect(device.bench.retained("door/availability") == "offline")
    try #require(device.board.input("door")).drive(active: true, at: device.bench.clock.now)
    device.bench.settle()
    #expect(device.bench.retained("door/availability") == "online")
  }

  @Test func `everything is told again at every connection`() throws {
    let device = try HomeAssistantBench(fan)
    device.bench.loseBroker()
    device.bench.comeBack()
    #expect(device.announced.count == 2)
  }

  @Test func `a device file that does not want it says nothing`() throws {
    for settings in [nil, "no"] {
      let configuration = try load(
        fan + (settings == nil ? "" : "    home_assistant: { name: x }\n"), settings)
      #expect(configuration.device.dialect?.isWanted == false)
      #expect(configuration.device.retainedTopics.allSatisfy { $0.hasPrefix("home/den/") })
    }
  }

  @Test(arguments: [
    (fan, "maybe", "'home_assistant' must be on or off, not 'maybe'"),
    (fan, "{ area: x }", "unknown key 'area' in 'home_assistant'"),
    (fan, "{ discovery: both }", "'discovery' in 'home_assistant' must be device or entity, not 'both'"),
    (fan, "{ discovery_prefix: 'a b' }", "'discovery_prefix' in 'home_assistant' must be topic levels"),
    (fan, "{ id: 'a b' }", "'id' in 'home_assistant' must be a name"),
    (fan + "    home_assistant: { icon: fan }\n", "yes", "must be an icon like mdi:fan, not 'fan'"),
    (fan + "    home_assistant: { device_class: door }\n", "yes", "must be outlet or switch, not 'door'"),
    (door + "    home_assistant: { device_class: dor }\n", "yes", "did you mean 'door'?"),
    (air + "    home_assistant: { device_class: gas }\n", "yes", "it comes from what the chip measures"),
    (fan + "    home_assistant: { colour: red }\n", "yes", "unknown key 'colour'"),
    (
      fan + "    on_payload: \"" + String(repeating: "\\x01", count: 500) + "\"\n    off_payload: \""
        + String(repeating: "\\x02", count: 500) + "\"\n", "yes",
      "the document of 'fan' for Home Assistant is longer than 3840 bytes; shorten its names and words"
    ),
    (
      air + "  - relay: air_humidity\n    line: L3\n", "yes",
      "two entities have the id 'air_humidity' for Home Assistant; give one of the modules another"
    ),
  ])
  func `what Home Assistant would refuse is an error`(modules: String, settings: String, message: String) {
    #expect(errors(modules, settings).contains { $0.contains(message) }, "\(errors(modules, settings))")
  }

  @Test func `a module's keys without the device's are an error`() {
    #expect(
      errors(fan + "    home_assistant: { name: x }\n", nil) == [
        "device.yaml:8:21: 'home_assistant' in relay 'fan' has no effect; say 'home_assistant: yes' for the device"
      ])
  }
}
