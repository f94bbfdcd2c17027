import Foundation
import MQTTAsync

/// How a message is written.
struct MessageFormat {
  enum Style {
    case plain, json
    case pretty(colors: Bool)
    case template(String)
  }

  var style: Style
  var showsTopic = false
  var endsLine = true
  /// A terminal must not obey what a message says.
  var isSafe = false

  func bytes(_ message: MQTTReceivedMessage, now: Date = Date()) -> [UInt8] {
    var line: [UInt8]
    switch style {
    case .plain:
      line = showsTopic ? Array((message.topic + " ").utf8) : []
      line += isSafe ? Array(Self.shown(message.payload).utf8) : message.payload
    case .json: line = Array(Self.json(message, now: now, parsing: true).utf8)
    case .pretty(let colors): line = Array(pretty(message, colors: colors).utf8)
    case .template(let template): line = Self.fill(template, message, now: now)
    }
    if endsLine { line.append(UInt8(ascii: "\n")) }
    return line
  }

  private func pretty(_ message: MQTTReceivedMessage, colors: Bool) -> String {
    let paint = { (text: String, code: Int) in colors ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
    var marks: [String] = []
    if message.retain { marks.append("retained") }
    if message.qos != .atMostOnce { marks.append("qos \(message.qos.rawValue)") }
    if let type = message.properties.contentType { marks.append(type) }
    for pair in message.properties.userProperties { marks.append("\(pair.name)=\(pair.value)") }
    let note = marks.isEmpty ? "" : "  " + paint(Self.shown(Array(marks.joined(separator: ", ").utf8)), 2)
    return paint(Self.shown(Array(message.topic.utf8)), 36) + "  " + Self.shown(message.payload) + note
  }

  /// Text as it is, if it is text; anything else as hexadecimal digits.
  static func shown(_ bytes: [UInt8]) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { return hex(bytes) }
    let isPlain = text.unicodeScalars.allSatisfy { scalar in
      scalar == "\t" || scalar == "\n" || !(scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value))
    }
    return isPlain ? text : hex(bytes)
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    let shown = bytes.prefix(64).map { String(format: "%02x", $0) }.joined(separator: " ")
    return "<\(bytes.count) bytes: \(shown)\(bytes.count > 64 ? " …" : "")>"
  }

  // MARK: JSON

  /// One line. The payload is a string, or with `parsing` what it says if it is JSON; bytes that are no text
  /// are base64 under `payload_base64`.
  static func json(_ message: MQTTReceivedMessage, now: Date, parsing: Bool) -> String {
    var object: [String: Any] = [
      "tst": time(now), "topic": message.topic, "qos": Int(message.qos.rawValue),
      "retain": message.retain ? 1 : 0, "payloadlen": message.payload.count,
    ]
    if message.packetID != 0 { object["mid"] = Int(message.packetID) }
    if let text = message.text {
      object["payload"] = parsing ? parsed(message.payload) ?? text : text
    } else {
      object["payload_base64"] = Data(message.payload).base64EncodedString()
    }
    let properties = properties(message.properties)
    if !properties.isEmpty { object["properties"] = properties }
    do {
      let data = try JSONSerialization.data(
        withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes, .fragmentsAllowed])
      return String(decoding: data, as: UTF8.self)
    } catch {
      return "{}"
    }
  }

  private static func parsed(_ payload: [UInt8]) -> Any? {
    do { return try JSONSerialization.jsonObject(with: Data(payload), options: .fragmentsAllowed) } catch {
      return nil
    }
  }

  private static func properties(_ properties: MQTTMessageProperties) -> [String: Any] {
    var object: [String: Any] = [:]
    if let isUTF8 = properties.isUTF8 { object["payload-format-indicator"] = isUTF8 ? 1 : 0 }
    if let expiry = properties.expiry { object["message-expiry-interval"] = Int(expiry) }
    if let type = properties.contentType { object["content-type"] = type }
    if let topic = properties.responseTopic { object["response-topic"] = topic }
    if let data = properties.correlationData {
      object["correlation-data"] = String(validating: data, as: UTF8.self) ?? Data(data).base64EncodedString()
    }
    if !properties.userProperties.isEmpty {
      object["user-properties"] = properties.userProperties.map { [$0.name: $0.value] }
    }
    if !properties.subscriptionIdentifiers.isEmpty {
      object["subscription-identifier"] = properties.subscriptionIdentifiers.map(Int.init)
    }
    return object
  }

  static func time(_ date: Date) -> String {
    date.ISO8601Format(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }

  // MARK: Templates

  /// The letters that may follow '%', with what they stand for.
  static let letters: [(letter: Character, meaning: String)] = [
    ("t", "topic"), ("p", "payload"), ("x", "payload in hexadecimal"), ("X", "the same in capitals"),
    ("l", "length"), ("q", "QoS"), ("r", "retain"), ("d", "duplicate"), ("m", "packet identifier"),
    ("I", "time, ISO 8601"), ("U", "Unix time"), ("j", "JSON, payload a string"),
    ("J", "JSON, payload parsed"), ("C", "content type"), ("R", "response topic"),
    ("D", "correlation data"), ("E", "expiry"), ("P", "user properties"), ("S", "subscription identifiers"),
  ]

  /// What is wrong with a template.
  static func fault(in template: String) -> String? {
    var rest = template[...]
    while let percent = rest.firstIndex(of: "%") {
      rest = rest[rest.index(after: percent)...]
      guard let letter = rest.popFirst() else { return "'%' at the end; write %% for a '%'" }
      if letter != "%", !letters.contains(where: { $0.letter == letter }) {
        return "%\(letter) is unknown; known are "
          + letters.map { "%\($0.letter) (\($0.meaning))" }.joined(separator: ", ")
      }
    }
    return nil
  }

  private static func fill(_ template: String, _ message: MQTTReceivedMessage, now: Date) -> [UInt8] {
    var line: [UInt8] = []
    var rest = template[...]
    while let character = rest.popFirst() {
      switch character {
      case "%":
        let letter = rest.popFirst() ?? "%"
        line += letter == "p" ? message.payload : Array(value(letter, message, now: now).utf8)
      case "\\":
        let letter = rest.popFirst() ?? "\\"
        line += Array((["n": "\n", "t": "\t", "r": "\r", "0": "\0"][letter] ?? String(letter)).utf8)
      default: line += Array(String(character).utf8)
      }
    }
    return line
  }

  private static func value(_ letter: Character, _ message: MQTTReceivedMessage, now: Date) -> String {
    let properties = message.properties
    switch letter {
    case "t": return message.topic
    case "x": return message.payload.map { String(format: "%02x", $0) }.joined()
    case "X": return message.payload.map { String(format: "%02X", $0) }.joined()
    case "l": return "\(message.payload.count)"
    case "q": return "\(message.qos.rawValue)"
    case "r": return message.retain ? "1" : "0"
    case "d": return message.duplicate ? "1" : "0"
    case "m": return "\(message.packetID)"
    case "I": return time(now)
    case "U": return String(format: "%.6f", now.timeIntervalSince1970)
    case "j": return json(message, now: now, parsing: false)
    case "J": return json(message, now: now, parsing: true)
    case "C": return properties.contentType ?? ""
    case "R": return properties.responseTopic ?? ""
    case "D": return properties.correlationData.map { String(decoding: $0, as: UTF8.self) } ?? ""
    case "E": return properties.expiry.map { "\($0)" } ?? ""
    case "P": return properties.userProperties.map { "\($0.name):\($0.value)" }.joined(separator: " ")
    case "S": return properties.subscriptionIdentifiers.map { "\($0)" }.joined(separator: " ")
    default: return "%"
    }
  }
}
