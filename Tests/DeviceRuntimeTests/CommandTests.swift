import DeviceBench
import DeviceRuntime
import Foundation
import HAL
import Loopback
import MQTTClient
import Testing

/// Every command is answered, and only what is meant for now is obeyed.
@Suite struct CommandTests {
  let fan = ProbeModule("fan", state: "OFF")
  let log = RecordingLog()
  let bench: DeviceBench

  init() throws {
    bench = try DeviceBench.make([fan, ProbeModule("lamp")], log: log)
    bench.start()
    _ = bench.news()
  }

  /// What the module heard, without what is always there.
  var obeyed: [String] { fan.calls.filter { $0.hasPrefix("obey") } }

  func expectRejected(_ topic: String, _ reason: String, _ comment: Comment? = nil) throws {
    let answer = try #require(bench.new(on: topic).last, comment)
    let json = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: String]
    #expect(json?["result"] == "rejected" && json?["reason"] == reason, comment)
  }

  @Test("a command is obeyed and answered, once, without retain")
  func obeys() {
    bench.send("ON", to: "fan")
    #expect(obeyed == ["obey ON"])
    #expect(bench.news() == [Published("fan/result", #"{"command":"ON","result":"accepted"}"#)])
  }

  @Test("a refusal is answered with its reason, and logged")
  func refuses() throws {
    fan.answer = .rejected("not now")
    bench.send("ON", to: "fan")
    #expect(bench.new(on: "fan/result") == [#"{"command":"ON","result":"rejected","reason":"not now"}"#])
    #expect(log.lines.last == #"warning: fan: command "ON" rejected: not now"#)
  }

  @Test("of many refusals within 10 s ten are logged, and the rest is counted when that time is over")
  func limitsTheLog() {
    fan.answer = .rejected("not now")
    for expected in ["40", "30"] {
      let before = log.lines.count
      for _ in 0..<(10 + (Int(expected) ?? 0)) { bench.send("ON", to: "fan") }
      #expect(log.lines.count == before + 10)
      bench.run(for: .seconds(11))
      #expect(log.lines.suffix(1) == ["warning: more commands rejected: \(expected)"])
      #expect(log.lines.count == before + 11)
    }
  }

  @Test("at debug every command is logged with its time, and what became of it")
  func debug() throws {
    let log = RecordingLog(level: .debug)
    let bench = try DeviceBench.make([fan], log: log)
    bench.start()
    bench.run(for: .microseconds(1_234_567))
    fan.answer = .accepted
    bench.send("ON", to: "fan")
    #expect(
      log.lines.suffix(2) == [
        #"debug: 1.234567 fan: command "ON""#, #"debug: 1.234567 fan: command "ON" accepted"#,
      ])
  }

  @Test("of many commands within 10 s as many are logged at debug as can be read, and the rest is counted")
  func limitsDebug() throws {
    let log = RecordingLog(level: .debug)
    let bench = try DeviceBench.make([fan], log: log)
    fan.answer = .accepted
    bench.start()
    let before = log.lines.count
    for _ in 0..<200 { bench.send("ON", to: "fan") }
    #expect(log.lines.count == before + 100)
    bench.run(for: .seconds(11))
    #expect(log.lines.last == "debug: more of this: 300")
  }

  @Test("a module takes no commands unless it says so")
  func takesNone() throws {
    final class Plain: Module { let name = "plain" }
    let bench = try DeviceBench.make([Plain()])
    bench.start()
    bench.send("ON", to: "plain")
    #expect(
      bench.new(on: "plain/result")
        == [#"{"command":"ON","result":"rejected","reason":"this module takes no commands"}"#])
  }

  @Test("a retained command is not obeyed, and the answer says what to do")
  func retained() throws {
    bench.loseBroker()
    bench.send("ON", to: "fan", retain: true)
    bench.comeBack()
    try expectRejected(
      "fan/result",
      "retained commands are not obeyed: publish without the retain flag, and clear this one with an empty "
        + "retained message")
    #expect(obeyed.isEmpty)
  }

  @Test(
    "white space, zero bytes and one pair of quotes around a command are no part of it",
    arguments: ["ON\n", "ON\r\n", " ON ", "\"ON\"", "'ON'", "ON\0", "\t\"ON\" \n", "\" ON \""])
  func unwraps(payload: String) {
    bench.send(payload, to: "fan")
    #expect(obeyed == ["obey ON"])
    #expect(bench.new(on: "fan/result") == [#"{"command":"ON","result":"accepted"}"#])
  }

  @Test(
    "what is within a command stays",
    arguments: [
      ("O N", "O N"), ("\"\"ON\"\"", "\"ON\""), ("\"", "\""), ("\"ON", "\"ON"), ("\"ON'", "\"ON'"),
      (" \n", ""), ("\"\"", ""),
    ])
  func leaves(payload: String, heard: String) {
    bench.send(payload, to: "fan")
    #expect(obeyed == ["obey \(heard)"])
  }

  @Test("the log shows what was refused, escaped and shortened")
  func showsPayload() {
    fan.answer = .rejected("not now")
    bench.send("a\nb" + String(repeating: "c", count: 60), to: "fan")
    let shown = #"a\u000ab"# + String(repeating: "c", count: 29)
    #expect(log.lines.last == "warning: fan: command \"\(shown)\" rejected: not now")
  }

  @Test(
    "the state of a JSON object is the object's own, else the text is what it was",
    arguments: [
      (#"{"state":"ON"}"#, "ON"), (#"{ "brightness" : 128, "state" : "off" }"#, "off"),
      (#"{"state":true}"#, "true"), (#"{"a":{"state":"ON"}}"#, #"{"a":{"state":"ON"}}"#),
      (#"{"a":"state","b":1}"#, #"{"a":"state","b":1}"#), (#"{"a":[1,2],"state":"ON","b":3}"#, "ON"),
      (#"{"a":"\",\"state\":\"ON\"","state":"OFF"}"#, "OFF"), (#"{"state":{"x":"ON"}}"#, #"{"x":"ON"}"#),
      (#"{"state""#, #"{"state""#), (#"{"state"}"#, #"{"state"}"#), ("{}", "{}"), (#"{"state":}"#, ""),
      (#"{"a":"\"#, #"{"a":"\"#), ("ON", "ON"),
    ])
  func state(payload: String, word: String) {
    #expect(FixedText(payload).state.string == word)
  }

  @Test("a command published with the retain flag while the device listens is fresh, and obeyed")
  func freshRetained() {
    bench.send("ON", to: "fan", retain: true)
    #expect(obeyed == ["obey ON"])
  }

  @Test(
    "a command for a module that is not there is answered", arguments: ["heater", "", "fa", "fann", "Fan"])
  func unknownModule(name: String) throws {
    bench.send("ON", to: name)
    try expectRejected("\(name)/result", "this device has no module of that name")
    #expect(obeyed.isEmpty)
  }

  @Test("a redelivered command is marked as such")
  func redelivered() {
    bench.send("ON", to: "fan", duplicate: true)
    #expect(obeyed == ["obey ON again"])
  }

  @Test("512 bytes are the longest command; a longer one is refused and answered")
  func longPayload() throws {
    bench.send(String(repeating: "x", count: 512), to: "fan")
    #expect(obeyed.count == 1)
    bench.send(String(repeating: "x", count: 513), to: "fan")
    #expect(obeyed.count == 1)
    try expectRejected("fan/result", "the payload is longer than 512 bytes")
  }

  @Test("a command that does not even fit the receive buffer is answered, and the next one is obeyed")
  func oversized() throws {
    bench.send(String(repeating: "x", count: 1_000_000), to: "fan")
    try expectRejected("fan/result", "the payload is too long: 1000000 bytes")
    bench.send("ON", to: "fan")
    #expect(obeyed == ["obey ON"])
    #expect(bench.server.connects == 1)
  }

  @Test(
    "the answer is JSON with the command in it, whatever the command was",
    arguments: [
      "", "ein \"Wort\"", "back\\slash", "line\nend\t\u{7F}\u{1B}[0m", "grün 東京 🌱",
      String(repeating: "é", count: 40),
      String(repeating: "🌱", count: 9), "a" + String(repeating: "🌱", count: 9),
    ])
  func json(payload: String) throws {
    bench.send(payload, to: "fan")
    let answer = try #require(bench.new(on: "fan/result").last)
    let json = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: String]
    var expected = ""
    for scalar in payload.unicodeScalars where expected.utf8.count + String(scalar).utf8.count <= 32 {
      expected.unicodeScalars.append(scalar)
    }
    #expect(json == ["command": expected, "result": "accepted"])
  }

  @Test("the answer is JSON even when the command is not UTF-8")
  func notUTF8() throws {
    bench.server.send("home/den/fan/set", [0x41, 0xC3, 0x28, 0xFF, 0xE2, 0x82], qos: .atLeastOnce)
    bench.settle()
    #expect(bench.new(on: "fan/result") == [#"{"command":"A\u00c3(\u00ff\u00e2\u0082","result":"accepted"}"#])
  }

  @Test("a long reason is cut, and the answer is still JSON")
  func longReason() throws {
    for word in ["x", "é", "\u{1}", "\u{1}é", "🌱"] {
      fan.answer = .rejected(FixedText(String(repeating: word, count: 512 / word.utf8.count)))
      bench.send(String(repeating: "\u{2}", count: 32), to: "fan")
      let answer = try #require(bench.new(on: "fan/result").last)
      #expect(answer.utf8.count > 500 && answer.utf8.count <= 512)
      let json = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: String]
      #expect(json?["reason"]?.hasPrefix(word) == true)
    }
  }

  @Test("a topic of 509 bytes is answered; a longer one, which could not be, is refused in the log")
  func longTopic() throws {
    let longest = String(repeating: "m", count: 509 - "home/den//set".utf8.count)
    bench.send("ON", to: longest)
    try expectRejected("\(longest)/result", "this device has no module of that name")
    _ = bench.news()
    for extra in [1, 3, 4, 1_000, 5_000] {
      bench.send("ON", to: longest + String(repeating: "m", count: extra))
      #expect(bench.news().isEmpty)
      #expect(log.lines.last == "warning: a command on a topic too long to be answered was not obeyed")
    }
    bench.send("ON", to: "fan")
    #expect(obeyed == ["obey ON"])
  }

  @Test("a module whose topics just fit into 512 bytes works")
  func longestModule() throws {
    let name = String(repeating: "m", count: 512 - "home/den//result".utf8.count)
    let module = ProbeModule(name, state: "well")
    let bench = try DeviceBench.make([module])
    bench.start()
    bench.send("ON", to: name)
    #expect(module.calls.last == "obey ON")
    #expect(bench.new(on: "\(name)/result").count == 1)
    #expect(bench.retained("\(name)/state") == "well")
  }

  @Test("a report goes to the result topic as JSON, and into the log")
  func report() {
    bench.device.report("safety", reason: "said \"off\"", of: fan)
    bench.settle()
    #expect(bench.news() == [Published("fan/result", #"{"result":"safety","reason":"said \"off\""}"#)])
    #expect(log.lines.last == #"warning: fan: said "off""#)
  }
}
