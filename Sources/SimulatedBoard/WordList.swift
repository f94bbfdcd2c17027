import DeviceRuntime

/// The words that a topic takes, with `|` between them: `ON|OFF`.
struct WordList {
  let text: StaticString

  /// The place of the word that the payload is, ASCII case aside.
  func index(of payload: FixedText) -> Int? {
    var found: Int?
    forEach { index, word in
      if found == nil, payload.count == word.count, WordList.isSame(payload, word) { found = index }
    }
    return found
  }

  func append(_ index: Int, to text: inout FixedText) {
    forEach { place, word in
      if place == index { for byte in word { text.append(byte: byte) } }
    }
  }

  /// `none, busy or gone`
  func list(in text: inout FixedText) {
    var last = 0
    forEach { index, _ in last = index }
    for index in 0...last {
      if index > 0 { text.append(index == last ? " or " : ", ") }
      append(index, to: &text)
    }
  }

  private static func isSame(_ payload: FixedText, _ word: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
    var index = 0
    for byte in word {
      let sent = payload[index]
      let isUpper = sent >= UInt8(ascii: "A") && sent <= UInt8(ascii: "Z")
      let wanted = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
      if (isUpper ? sent | 0x20 : sent) != wanted { return false }
      index += 1
    }
    return true
  }

  private func forEach(_ body: (_ index: Int, _ word: Slice<UnsafeBufferPointer<UInt8>>) -> Void) {
    text.withUTF8Buffer { bytes in
      var start = 0
      var index = 0
      for end in 0...bytes.count where end == bytes.count || bytes[end] == UInt8(ascii: "|") {
        body(index, bytes[start..<end])
        index += 1
        start = end + 1
      }
    }
  }
}
