import DeviceBench
import HAL
import Simulation
import Testing

private let fan = "  - relay: fan\n    line: L1\n"
private let air = "  - sensor: air\n    driver: SHT3x\n    bus: i2c-1\n    every: 10s\n    retain: yes\n"

struct TopicNamesTests {
  @Test func `a prefix stands in the place of root and device`() throws {
    for (text, prefix) in [("/house/Cellar", "/house/Cellar"), ("farm/Shelf-2/", "farm/Shelf-2"), ("x", "x")]
    {
      let device = try HomeAssistantBench(fan, "no", keys: "topic_prefix: \(text)\n")
      #expect(device.bench.server.retained["\(prefix)/availability"]?.payload == Array("online".utf8))
      device.publish("ON", to: "\(prefix)/fan/set")
      #expect(device.kept("\(prefix)/fan/state") == "ON")
      #expect(device.bench.server.will?.topic == "\(prefix)/availability")
    }
  }

  @Test func `state and command have topics of their own and answers stay where they are`() throws {
    let modules = fan + "    state_topic: ~/Fan/IS\n    command_topic: /cmnd/den/Fan\n"
    let device = try HomeAssistantBench(modules, "no", keys: "availability_topic: tele/den/LWT\n")
    #expect(device.kept("tele/den/LWT") == "online")
    #expect(device.bench.server.will?.topic == "tele/den/LWT")
    #expect(device.kept("home/den/availability") == nil)
    device.publish("ON", to: "/cmnd/den/Fan")
    #expect(device.kept("home/den/Fan/IS") == "ON")
    #expect(device.kept("home/den/fan/state") == nil)
    #expect(device.bench.new(on: "fan/result") == [#"{"command":"ON","result":"accepted"}"#])
    device.publish("OFF", to: "home/den/fan/set")
    #expect(device.kept("home/den/Fan/IS") == "ON", "the usual one is not obeyed")
  }

  @Test func `a retained command is refused there, too`() throws {
    let device = try HomeAssistantBench(fan + "    command_topic: /cmnd/den/Fan\n", "no") {
      $0.send("/cmnd/den/Fan", Array("ON".utf8), qos: .atLeastOnce, retain: true)
    }
    #expect(device.kept("home/den/fan/state") == "OFF")
    let answers = device.bench.new(on: "fan/result")
    #expect(answers.count == 1 && answers[0].contains("retained commands are not obeyed"))
  }

  @Test func `channels and faults have topics of their own`() throws {
    let device = try HomeAssistantBench(air + "    topics: { temperature: T, error: ~/Air/Fault }\n", "no")
    device.bench.run(for: .seconds(1))
    #expect(device.kept("T") != nil)
    #expect(device.kept("home/den/air/humidity") != nil)
    #expect(device.bench.server.published.contains { $0.topic == "home/den/Air/Fault" })
    #expect(Set(device.description.retainedTopics).isSuperset(of: ["T", "home/den/Air/Fault"]))
    #expect(!device.description.retainedTopics.contains("home/den/air/temperature"))
  }

  @Test func `Home Assistant is told of them`() throws {
    let modules = fan + "    state_topic: ~/IS\n    command_topic: /cmnd/Fan\n"
    let device = try HomeAssistantBench(
      modules, "yes", keys: "topic_prefix: /house/my den\navailability_topic: ~/LWT\n")
    let document = try device.document("homeassistant/device/_house_my_den/config")
    #expect(document["avty"] as? [[String: String]] == [["t": "/house/my den/LWT"]])
    let components = document["cmps"] as? [String: [String: Any]]
    #expect(components?["fan"]?["stat_t"] as? String == "/house/my den/IS")
    #expect(components?["fan"]?["cmd_t"] as? String == "/cmnd/Fan")
  }

  @Test(arguments: [
    (
      "topic_prefix: a/+/b\n", fan,
      "'topic_prefix' must be a topic without '+' and '#', like home/Cellar, not 'a/+/b'"
    ),
    ("topic_prefix: $SYS/a\n", fan, "'topic_prefix' begins with '$', where only brokers publish"),
    ("topic_prefix: //\n", fan, "'topic_prefix' must be levels like home/Cellar, not '//'"),
    ("topic_prefix: a\nroot: b\n", fan, "'topic_prefix' and 'root' contradict each other; leave 'root' out"),
    (
      "", fan + "    state_topic: ~/get\n",
      "the topic 'home/den/get' is another one's, too; give each its own"
    ),
    ("availability_topic: ~/fan/state\n", fan, "the topic 'home/den/fan/state' is another one's, too"),
    (
      "", fan + "    state_topic: X\n    command_topic: X\n",
      "the topic 'X' is another one's, too; give each its own"
    ),
    (
      "", fan + "    state_topic: ~/pump/set\n",
      "'home/den/pump/set' is where modules are sent their commands; end it otherwise than with /set"
    ),
    (
      "", fan + "    topics: { temperature: X }\n",
      "'temperature' in 'topics' of relay 'fan' has no effect; its topics are state, set and error"
    ),
    ("", fan + "    state_topic: X\n    topics: { state: Y }\n", "is given twice"),
    ("", fan + "    state_topic: 'a#'\n", "must be a topic without '+' and '#', like ~/Fan, not 'a#'"),
  ])
  func `a topic that cannot be is an error`(keys: String, modules: String, message: String) {
    let found = errors(modules, "no", keys: keys)
    #expect(found.contains { $0.contains(message) }, "\(found)")
  }
}
