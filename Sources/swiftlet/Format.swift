import Foundation
import MQTTAsync

/// How a message is written.
struct MessageFormat {
  enum Style {
    case plain, json
    case pretty(colors: Bool)
    case template(Template)
  }

  var style: Style
  var showsTopic = false
  var endsLine = true
  /// A terminal must not obey what a message says.
  var isSafe = false
  /// The subscription identifier that was asked for, shown with messages that carry it. Otherwise the client has
  /// identifiers of its own, which are nobody's business.
  var identifier: UInt32?
  /// JSON in lines with indentation.
  var isIndented = false

  func bytes(_ message: MQTTReceivedMessage, now: Date = Date()) -> [UInt8] {
    var line: [UInt8]
    switch style {
    case .plain:
      // As mosquitto_sub has it: with a topic "(null)", without one not even an end of line.
      if message.payload.isEmpty && !showsTopic { return [] }
      line = showsTopic ? Array((message.topic + " ").utf8) : []
      line += isSafe ? Array(Self.shown(message.payload).utf8) : message.payload
      if message.payload.isEmpty { line += Array("(null)".utf8) }
    case .json: line = Array(json(message, now: now, parsing: true).utf8)
    case .pretty(let colors): line = Array(pretty(message, colors: colors).utf8)
    case .template(let template): line = template.fill(message, in: self, now: now)
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
  func json(_ message: MQTTReceivedMessage, now: Date, parsing: Bool) -> String {
    var object: [String: Any] = [
      "tst": Self.time(now), "topic": message.topic, "qos": Int(message.qos.rawValue),
      "retain": message.retain ? 1 : 0, "payloadlen": message.payload.count,
    ]
    if message.packetID != 0 { object["mid"] = Int(message.packetID) }
    if let text = message.text {
      object["payload"] = parsing ? Self.parsed(message.payload) ?? text : text
    } else {
      object["payload_base64"] = Data(message.payload).base64EncodedString()
    }
    let properties = properties(message.properties)
    if !properties.isEmpty { object["properties"] = properties }
    var options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes, .fragmentsAllowed]
    if isIndented { options.insert(.prettyPrinted) }
    do {
      let data = try JSONSerialization.data(withJSONObject: object, options: options)
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

  private func properties(_ properties: MQTTMessageProperties) -> [String: Any] {
    var object: [String: Any] = [:]
    if let isUTF8 = properties.isUTF8 { object["payload-format-indicator"] = isUTF8 ? 1 : 0 }
    if let expiry = properties.expiry { object["message-expiry-interval"] = Int(expiry) }
    if let type = properties.contentType { object["content-type"] = type }
    if let topic = properties.responseTopic { object["response-topic"] = topic }
    if let data = properties.correlationData {
      object["correlation-data"] = String(validating: data, as: UTF8.self) ?? Data(data).base64EncodedString()
    }
    // An object, as mosquitto_sub has it; a name that comes several times has a list.
    let users = Dictionary(grouping: properties.userProperties, by: \.name).mapValues { $0.map(\.value) }
    if !users.isEmpty {
      object["user-properties"] = users.mapValues { (values) -> Any in values.count == 1 ? values[0] : values
      }
    }
    if let identifier = shownIdentifier(properties) { object["subscription-identifier"] = Int(identifier) }
    return object
  }

  func shownIdentifier(_ properties: MQTTMessageProperties) -> UInt32? {
    identifier.flatMap { properties.subscriptionIdentifiers.contains($0) ? $0 : nil }
  }

  static func time(_ date: Date) -> String {
    date.ISO8601Format(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }
}
