/// What MQTT demands of its strings.
public enum UTF8Text {
  /// Whether the bytes are well-formed UTF-8 without U+0000 and surrogates.
  ///
  /// Linear; eight bytes at a time when all are ASCII. [MQTT-1.5.3-1], [MQTT-1.5.3-2]
  public static func isValid(_ bytes: Span<UInt8>) -> Bool {
    ASCIIWord.allSatisfy(bytes) { $0.isText } || isWellFormed(bytes)
  }

  private static func isWellFormed(_ bytes: Span<UInt8>) -> Bool {
    let count = bytes.count
    var index = 0
    while index < count {
      let byte = bytes[unchecked: index]
      if byte < 0x80 {
        if byte == 0 { return false }
        index += 1
        continue
      }
      let length = sequenceLength(bytes, at: index)
      if length == 0 { return false }
      index += length
    }
    return true
  }

  /// The length of the well-formed multi-byte sequence at `index`, 0 when there is none (table 3-7 of
  /// the Unicode standard: no overlong forms, no surrogates, nothing above U+10FFFF).
  static func sequenceLength(_ bytes: Span<UInt8>, at index: Int) -> Int {
    let lead = bytes[index]
    let length: Int
    var lowest: UInt8 = 0x80
    var highest: UInt8 = 0xBF
    switch lead {
    case 0xC2...0xDF: length = 2
    case 0xE0...0xEF:
      length = 3
      if lead == 0xE0 { lowest = 0xA0 }
      if lead == 0xED { highest = 0x9F }
    case 0xF0...0xF4:
      length = 4
      if lead == 0xF0 { lowest = 0x90 }
      if lead == 0xF4 { highest = 0x8F }
    default: return 0
    }
    guard bytes.count - index >= length else { return 0 }
    let second = bytes[unchecked: index + 1]
    guard second >= lowest, second <= highest else { return 0 }
    var offset = 2
    while offset < length {
      guard bytes[unchecked: index + offset] & 0xC0 == 0x80 else { return 0 }
      offset += 1
    }
    return length
  }
}
