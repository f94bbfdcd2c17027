import Foundation
import MQTTAsync

/// What `--format` says, in the notation of mosquitto_sub: `%t` and the like for a message's parts, with a width if
/// wished (`%10t`, `%-10t`, `%05l`), `@Y` and the like for the time as in strftime, `\n` and the like for bytes.
struct Template {
  private enum Piece {
    case bytes([UInt8])
    case part(Character, Width)
    case time(Character)
  }

  private struct Width {
    var columns = 0
    var isLeft = false
    var hasZeros = false
    /// The precision.
    var longest = Int.max
  }

  struct Fault: Error {
    let message: String
  }

  /// The letters that may follow '%', with what they stand for.
  private static let letters: [(letter: Character, meaning: String)] = [
    ("t", "topic"), ("p", "payload"), ("x", "payload in hexadecimal"), ("X", "the same in capitals"),
    ("l", "length"), ("q", "QoS"), ("r", "retain"), ("d", "duplicate"), ("m", "packet identifier"),
    ("I", "time, ISO 8601"), ("U", "Unix time"), ("j", "JSON, payload a string"),
    ("J", "JSON, payload parsed"), ("C", "content type"), ("R", "response topic"),
    ("D", "correlation data"), ("E", "expiry"), ("F", "payload format"), ("P", "user properties"),
    ("S", "subscription identifier"), ("A", "topic alias, which has become the topic: nothing"),
  ]
  private static let escapes: [Character: UInt8] = [
    "\\": 0x5C, "0": 0, "a": 7, "e": 27, "n": 10, "r": 13, "t": 9, "v": 11,
  ]

  private var pieces: [Piece] = []

  init(_ text: String) throws(Fault) {
    var rest = text[...]
    while let character = rest.popFirst() {
      switch character {
      case "%": pieces.append(try Self.part(&rest))
      case "@": pieces.append(try Self.time(&rest))
      case "\\": pieces.append(.bytes([try Self.escaped(&rest)]))
      default: pieces.append(.bytes(Array(String(character).utf8)))
      }
    }
  }

  /// Whether it has JSON in it.
  var hasJSON: Bool {
    pieces.contains {
      if case .part("j", _) = $0 { return true }
      if case .part("J", _) = $0 { return true }
      return false
    }
  }

  private static func part(_ rest: inout Substring) throws(Fault) -> Piece {
    var width = Width()
    while let flag = rest.first, flag == "-" || flag == "0" {
      if flag == "-" { width.isLeft = true } else { width.hasZeros = true }
      rest.removeFirst()
    }
    while let digit = rest.first?.wholeNumberValue, width.columns < 1_000 {
      width.columns = width.columns * 10 + digit
      rest.removeFirst()
    }
    if rest.first == "." {
      let digits = rest.dropFirst().prefix { $0.isNumber }
      width.longest = digits.isEmpty ? 0 : Int(digits) ?? .max
      rest = rest.dropFirst(1 + digits.count)
    }
    guard let letter = rest.popFirst() else { throw Fault(message: "'%' at the end; write %% for a '%'") }
    if letter == "%" { return .bytes([UInt8(ascii: "%")]) }
    guard letters.contains(where: { $0.letter == letter }) else {
      throw Fault(
        message: "%\(letter) is unknown; known are "
          + letters.map { "%\($0.letter) (\($0.meaning))" }.joined(separator: ", "))
    }
    return .part(letter, width)
  }

  private static func time(_ rest: inout Substring) throws(Fault) -> Piece {
    guard let letter = rest.popFirst() else { throw Fault(message: "'@' at the end; write @@ for a '@'") }
    if letter == "@" { return .bytes([UInt8(ascii: "@")]) }
    guard letter.isASCII, letter.isLetter else {
      throw Fault(message: "@\(letter) is no part of a time; write @@ for a '@', or for example @H:@M:@S")
    }
    return .time(letter)
  }

  private static func escaped(_ rest: inout Substring) throws(Fault) -> UInt8 {
    guard let letter = rest.popFirst() else { throw Fault(message: "'\\' at the end; write \\\\ for a '\\'") }
    guard let byte = escapes[letter] else {
      throw Fault(message: "\\\(letter) is unknown; known are \\n, \\t, \\r, \\v, \\a, \\e, \\0 and \\\\")
    }
    return byte
  }
}

// MARK: Filling it

extension Template {
  func fill(_ message: MQTTReceivedMessage, in format: MessageFormat, now: Date) -> [UInt8] {
    var line: [UInt8] = []
    for piece in pieces {
      switch piece {
      case .bytes(let bytes): line += bytes
      case .part("p", _): line += message.payload
      case .part(let letter, let width):
        line += Array(Self.padded(Self.value(letter, message, format, now), width, letter).utf8)
      case .time(let letter): line += Array(Self.time(letter, now).utf8)
      }
    }
    return line
  }

  private static func padded(_ text: String, _ width: Width, _ letter: Character) -> String {
    // As there, a precision shortens these alone.
    let text = "tCRI".contains(letter) ? String(text.prefix(width.longest)) : text
    let missing = width.columns - text.count
    if missing <= 0 || "xXjJ".contains(letter) { return text }
    if width.isLeft { return text + String(repeating: " ", count: missing) }
    let isNumber = "lmqrEF".contains(letter)
    return String(repeating: width.hasZeros && isNumber ? "0" : " ", count: missing) + text
  }

  private static func value(
    _ letter: Character, _ message: MQTTReceivedMessage, _ format: MessageFormat, _ now: Date
  ) -> String {
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
    case "I": return time("F", now) + "T" + time("T", now) + time("z", now)
    case "U": return time("s", now) + "." + time("N", now)
    case "j": return format.json(message, now: now, parsing: false)
    case "J": return format.json(message, now: now, parsing: true)
    case "C": return properties.contentType ?? ""
    case "R": return properties.responseTopic ?? ""
    case "D": return properties.correlationData.map { String(decoding: $0, as: UTF8.self) } ?? ""
    case "E": return properties.expiry.map { "\($0)" } ?? ""
    case "F": return properties.isUTF8.map { $0 ? "1" : "0" } ?? ""
    case "P": return properties.userProperties.map { "\($0.name):\($0.value)" }.joined(separator: " ")
    case "S": return format.shownIdentifier(properties).map { "\($0)" } ?? ""
    default: return ""
    }
  }

  /// What strftime makes of a letter; N: nanoseconds.
  private static func time(_ letter: Character, _ date: Date) -> String {
    let seconds = date.timeIntervalSince1970
    if letter == "N" { return String(format: "%09d", Int((seconds - seconds.rounded(.down)) * 1e9)) }
    var whole = time_t(seconds.rounded(.down))
    var parts = tm()
    localtime_r(&whole, &parts)
    var text = [CChar](repeating: 0, count: 128)
    let length = strftime(&text, text.count, "%\(letter)", &parts)
    return String(decoding: text.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
