// What is meant by a payload: people's tools put more around a word than the word.
extension FixedText {
  /// Without white space and zero bytes around it, and without one pair of quotes: `echo ON | …` ends with a line
  /// feed, scripts of Windows with two, C programs with a zero, JSON's strings stand in quotes, and
  /// what Windows' shell takes for text in single ones.
  var unwrapped: FixedText {
    if isTruncated { return self }
    var inner = trimmed(0..<count)
    let quote = inner.count >= 2 ? self[inner.lowerBound] : 0
    if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"), self[inner.upperBound - 1] == quote {
      inner = trimmed(inner.lowerBound + 1..<inner.upperBound - 1)
    }
    return inner.count == count ? self : part(inner)
  }

  /// The bytes of `range` without what is white around them.
  private func trimmed(_ range: Range<Int>) -> Range<Int> {
    var begin = range.lowerBound
    var end = range.upperBound
    while begin < end, FixedText.isWhite(self[begin]) { begin += 1 }
    while end > begin, FixedText.isWhite(self[end - 1]) { end -= 1 }
    return begin..<end
  }

  private func part(_ range: Range<Int>) -> FixedText {
    var text = FixedText()
    for index in range { text.append(byte: self[index]) }
    return text
  }

  private static func isWhite(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte) || byte == 0
  }
}

extension FixedText {
  /// The member `state` of a JSON object such as `{"state":"ON"}`, or the text itself: the form in which Home
  /// Assistant's JSON lights and Zigbee2MQTT switch. Only the object's own member counts, none of an object within.
  public var state: FixedText {
    guard count > 2, self[0] == UInt8(ascii: "{"), self[count - 1] == UInt8(ascii: "}") else { return self }
    var depth = 0
    var isKey = true
    var begin: Int?
    var index = 0
    while index < count {
      switch self[index] {
      case UInt8(ascii: "\""):
        let end = endOfString(at: index)
        if depth == 1, isKey, begin == nil, holds("state", in: index + 1..<end) { begin = end + 1 }
        index = end
      case UInt8(ascii: ":"): isKey = false
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: ",") where depth == 1: isKey = true
      default: break
      }
      if let begin, isKey && index > begin || depth == 0 { return value(begin..<index) }
      index += 1
    }
    return self
  }

  /// What stands behind the colon.
  private func value(_ range: Range<Int>) -> FixedText {
    let range = trimmed(range)
    guard !range.isEmpty, self[range.lowerBound] == UInt8(ascii: ":") else { return self }
    return part(range.lowerBound + 1..<range.upperBound).unwrapped
  }

  /// Where the string that begins there has its other quote, or the text its end.
  private func endOfString(at begin: Int) -> Int {
    var index = begin + 1
    while index < count, self[index] != UInt8(ascii: "\"") {
      index += self[index] == UInt8(ascii: "\\") ? 2 : 1
    }
    return min(index, count)
  }

  private func holds(_ word: StaticString, in range: Range<Int>) -> Bool {
    word.withUTF8Buffer { word in
      guard word.count == range.count else { return false }
      for offset in 0..<word.count where self[range.lowerBound + offset] != word[offset] { return false }
      return true
    }
  }
}
