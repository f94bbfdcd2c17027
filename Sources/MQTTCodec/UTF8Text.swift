/// What MQTT demands of its strings.
public enum UTF8Text {
  /// Whether the bytes are well-formed UTF-8 without U+0000 and surrogates.
  ///
  /// Linear; eight bytes at a time as long as they are ASCII. [MQTT-1.5.3-1], [MQTT-1.5.3-2]
  public static func isValid(_ bytes: Span<UInt8>) -> Bool {
    let count = bytes.count
    var index = 0
    while index < count {
      if count - index >= 8, ASCIIWord(bytes, at: index).isText {
        index += 8
        continue
      }
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

/// Eight bytes looked at together.
struct ASCIIWord {
  private let word: UInt64

  /// The caller checked that eight bytes follow `index`.
  @inline(__always)
  init(_ bytes: Span<UInt8>, at index: Int) {
    word = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: index, as: UInt64.self) }
  }

  @inline(__always)
  private static func marksZeroBytes(_ word: UInt64) -> UInt64 {
    (word &- 0x0101_0101_0101_0101) & ~word
  }

  private static let high: UInt64 = 0x8080_8080_8080_8080

  /// All eight are ASCII, and none is U+0000.
  @inline(__always)
  var isText: Bool {
    (word | Self.marksZeroBytes(word)) & Self.high == 0
  }

  /// All eight are ASCII, and none is U+0000, `#` or `+`.
  @inline(__always)
  var isTopicText: Bool {
    let hash = Self.marksZeroBytes(word ^ 0x2323_2323_2323_2323)
    let plus = Self.marksZeroBytes(word ^ 0x2B2B_2B2B_2B2B_2B2B)
    return (word | Self.marksZeroBytes(word) | hash | plus) & Self.high == 0
  }
}
