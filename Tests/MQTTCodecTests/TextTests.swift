import MQTTCodec
import TestNumbers
import Testing

@Suite("Strings and topics")
struct TextTests {
  @Test("[MQTT-1.5.3-1] Well-formed UTF-8 is accepted, every other sequence of up to three bytes is not")
  func everyShortSequence() {
    for length in 1...3 {
      for number in 0..<(1 << (8 * length)) where length < 3 || number % 211 == 0 {
        let sequence = (0..<length).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        let isValid = !sequence.contains(0) && String(validating: sequence, as: UTF8.self) != nil
        if isText(sequence) != isValid {
          Issue.record("\(sequence): expected \(isValid)")
          return
        }
      }
    }
  }

  @Test("[MQTT-1.5.3-1] Four-byte sequences are accepted up to U+10FFFF without overlong forms")
  func fourBytes() {
    for lead in UInt8(0xEF)...0xFF {
      for second in UInt8(0x70)...0xC8 {
        for tail: [UInt8] in [[0x80, 0x80], [0xBF, 0xBF], [0x7F, 0x80], [0x80, 0xC0], [0x80]] {
          let sequence = [lead, second] + tail
          let isValid = String(validating: sequence, as: UTF8.self) != nil
          #expect(isText(sequence) == isValid, "\(sequence)")
        }
      }
    }
  }

  @Test("[MQTT-1.5.3-1] [MQTT-1.5.3-2] A bad byte is found at every position of a long string")
  func everyPosition() {
    for length in [1, 7, 8, 9, 16, 23, 64] {
      for position in 0..<length {
        for bad: UInt8 in [0, 0x80, 0xC0, 0xF5, 0xFF] {
          var text = [UInt8](repeating: 0x61, count: length)
          text[position] = bad
          #expect(!isText(text))
          #expect(nameFault(text) == .invalidString)
        }
      }
    }
  }

  @Test("[MQTT-1.5.3-1] Surrogates are refused")
  func surrogates() {
    #expect(!isText([0xED, 0xA0, 0x80]))
    #expect(!isText([0xED, 0xBF, 0xBF]))
    #expect(isText([0xED, 0x9F, 0xBF]))
    #expect(isText([0xEE, 0x80, 0x80]))
  }

  @Test("[MQTT-1.5.3-3] [MQTT5-1.5.4-3] U+FEFF is a character like any other and stays where it is")
  func byteOrderMark() {
    let topic = "\u{FEFF}a".array
    #expect(topic.count == 4)
    #expect(nameFault(topic) == nil)
    #expect(!matches("a".array, topic))
  }

  @Test(
    "[MQTT-4.7.1-1] [MQTT-3.3.2-2] Topic names have no wildcards",
    arguments: ["#", "+", "a/#", "a/+/b", "sport+", "abcdefgh#", "abcdefghijklmno+", "äöü/#"])
  func wildcardInName(_ name: String) {
    let name = name.array
    #expect(nameFault(name) == .wildcardInTopic)
  }

  @Test("[MQTT-4.7.3-1] [MQTT-4.7.3-3] Names and filters have 1 to 65,535 bytes")
  func lengths() {
    let longest = [UInt8](repeating: 0x61, count: 65_535)
    let tooLong = [UInt8](repeating: 0x61, count: 65_536)
    #expect(nameFault([]) == .emptyTopic)
    #expect(filterFault([]) == .invalidFilter)
    #expect(nameFault(longest) == nil)
    #expect(filterFault(longest) == nil)
    #expect(nameFault(tooLong) != nil)
    #expect(filterFault(tooLong) != nil)
  }

  @Test("[MQTT-4.7.3-2] Names and filters contain no U+0000")
  func nullCharacter() {
    #expect(nameFault("a\0b".array) == .invalidString)
    #expect(
      filterFault("a/\0".array) == .invalidString)
  }

  @Test(
    "[MQTT-4.7.1-2] [MQTT-4.7.1-3] Wildcards stand alone in their level, # in the last",
    arguments: [
      ("#", true), ("+", true), ("sport/#", true), ("sport/tennis#", false), ("sport/#/ranking", false),
      ("+/tennis/#", true), ("sport+", false), ("sport/+/player1", true), ("/+", true), ("+/+", true),
      ("a/+b", false), ("a/b+/c", false), ("##", false), ("#/", false), ("++", false), ("/", true),
      ("a//b", true), ("+/", true), ("a b/ü", true),
    ])
  func filters(_ filter: String, _ isValid: Bool) {
    let filter = filter.array
    #expect((filterFault(filter) == nil) == isValid)
  }

  @Test(
    "[MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.3-4] Filters match the topics of the specification's examples",
    arguments: [
      ("sport/tennis/player1/#", "sport/tennis/player1", true),
      ("sport/tennis/player1/#", "sport/tennis/player1/ranking", true),
      ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
      ("sport/tennis/player1/#", "sport/tennis/player10", false),
      ("sport/#", "sport", true), ("#", "a/b/c", true), ("#", "/", true),
      ("sport/tennis/+", "sport/tennis/player1", true),
      ("sport/tennis/+", "sport/tennis/player1/ranking", false),
      ("sport/+", "sport", false), ("sport/+", "sport/", true),
      ("+/+", "/finance", true), ("/+", "/finance", true), ("+", "/finance", false),
      ("+/tennis/#", "sport/tennis", true), ("+/#", "a", true), ("+/+/#", "a", false),
      ("a/b", "a/b", true), ("a/b", "a/B", false), ("a/b", "a/b/", false), ("a/b/", "a/b", false),
      ("a", "ab", false), ("ab", "a", false), ("a//b", "a//b", true), ("a/+/b", "a//b", true),
      ("a/+/c", "a/b/c", true), ("a/+/c", "a/b/d", false), ("/", "/", true), ("+", "", false),
      ("a/#", "b", false), ("a/b/#", "a", false), ("ab/#", "a/b", false),
      ("ACCOUNTS", "Accounts", false), ("\u{E9}", "e\u{301}", false),
    ])
  func matching(_ filter: String, _ topic: String, _ isMatch: Bool) {
    #expect(matches(filter.array, topic.array) == isMatch)
  }

  @Test(
    "[MQTT-4.7.2-1] Wildcards at the start do not match topics that begin with $",
    arguments: [
      ("#", "$SYS/uptime", false), ("+/monitor/Clients", "$SYS/monitor/Clients", false),
      ("$SYS/#", "$SYS/uptime", true), ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
      ("+", "$SYS", false), ("a/#", "a/$b", true), ("a/+", "a/$b", true),
    ])
  func dollarTopics(_ filter: String, _ topic: String, _ isMatch: Bool) {
    #expect(matches(filter.array, topic.array) == isMatch)
  }

  @Test("Matching agrees with a level by level reference on random filters and topics")
  func matchingAgainstReference() {
    var random = SplitMix(state: 7)
    for _ in 0..<10_000 {
      let topic = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        ["", "a", "b", "$a"].randomElement(using: &random) ?? ""
      }
      var filter = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        ["", "a", "b", "$a", "+"].randomElement(using: &random) ?? ""
      }
      if Bool.random(using: &random) { filter.append("#") }
      let topicBytes = topic.joined(separator: "/").array
      let filterBytes = filter.joined(separator: "/").array
      guard !topicBytes.isEmpty, !filterBytes.isEmpty else { continue }
      let expected = reference(filter, topic)
      if matches(filterBytes, topicBytes) != expected {
        Issue.record("\(filter) \(topic): expected \(expected)")
        return
      }
    }
  }

  private func reference(_ filter: [String], _ topic: [String]) -> Bool {
    if topic[0].hasPrefix("$"), filter[0] == "+" || filter[0] == "#" { return false }
    for (index, level) in filter.enumerated() {
      if level == "#" { return true }
      guard index < topic.count, level == "+" || level == topic[index] else { return false }
    }
    return filter.count == topic.count
  }
}
