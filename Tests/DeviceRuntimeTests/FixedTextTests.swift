import DeviceRuntime
import Foundation
import HAL
import Testing

/// Text on the stack: what fits is there, what does not is cut visibly.
@Suite struct FixedTextTests {
  func escaped(_ bytes: [UInt8], leaving room: Int = 0) -> String {
    var text = FixedText()
    text.append(jsonEscaped: FixedText(bytes.span), leaving: room)
    return text.string
  }

  @Test("text up to 512 bytes is kept, what does not fit is cut off and flagged")
  func capacity() {
    var text = FixedText(String(repeating: "a", count: 512))
    #expect(text.count == 512 && !text.isTruncated)
    text.append(byte: 0x62)
    #expect(text.count == 512 && text.isTruncated && text[511] == 0x61)
    text.removeAll()
    #expect(text.isEmpty && !text.isTruncated)
  }

  @Test("pieces of all kinds follow each other")
  func pieces() {
    var text: FixedText = "a"
    text.append("b" as String)
    text.append(FixedText("c"))
    text.append(byte: 0x64)
    text.append(hex: 0x4A)
    text.append(decimal: Int64.min)
    text.append(decimal: 0)
    #expect(text.string == "abcd0x4a-92233720368547758080")
  }

  @Test(
    "durations are written as in a device file",
    arguments: [
      (0, "0s"), (1, "1ms"), (250, "250ms"), (1_000, "1s"), (1_500, "1500ms"), (60_000, "1min"),
      (90_000, "90s"), (1_800_000, "30min"), (3_600_000, "1h"), (86_400_000, "1d"), (172_800_000, "2d"),
      (90_000_000, "25h"), (5_400_000, "90min"),
    ] as [(Int, String)])
  func durations(milliseconds: Int, expected: String) {
    var text = FixedText()
    text.append(.milliseconds(milliseconds))
    #expect(text.string == expected)
  }

  @Test("every byte of UTF-8 text survives JSON, all planes of Unicode")
  func validUTF8() throws {
    var value: UInt32 = 1
    while value <= 0x10FFFF {
      if let scalar = Unicode.Scalar(value) {
        let text = String(scalar)
        let json = "[\"\(escaped(Array(text.utf8)))\"]"
        let read = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String]
        #expect(read == [text], "U+\(String(value, radix: 16))")
        if value >= 0x80 { #expect(json == "[\"\(text)\"]") }
      }
      value += value < 0x900 ? 1 : 0x3FB
    }
  }

  @Test(
    "bytes that are not UTF-8 are escaped one by one, and the text goes on after them",
    arguments: [
      ([0x80], #"\u0080"#), ([0xC0, 0x80], #"\u00c0\u0080"#), ([0xED, 0xA0, 0x80], #"\u00ed\u00a0\u0080"#),
      ([0xF4, 0x90, 0x80, 0x80], #"\u00f4\u0090\u0080\u0080"#), ([0xF5, 0x41], #"\u00f5A"#),
      ([0xE2, 0x82], #"\u00e2\u0082"#), ([0xE2, 0x82, 0xAC], "€"), ([0xE2, 0xC3, 0xA9], #"\u00e2é"#),
      ([0x00, 0x1F, 0x20, 0x7E, 0x7F], #"\u0000\u001f ~\u007f"#),
    ] as [([UInt8], String)])
  func invalidUTF8(bytes: [UInt8], expected: String) {
    #expect(escaped(bytes) == expected)
  }

  @Test("escaping stops before the character that does not fit, and leaves the room it was told to")
  func escapingStops() {
    var text = FixedText(String(repeating: "a", count: 500))
    text.append(jsonEscaped: FixedText("éé\"\u{1}"), leaving: 2)
    #expect(text.count == 506 && text.isTruncated)
    text.append("\"}")
    #expect(text.string.hasSuffix("aéé\\\"\"}"))
  }

  @Test("a prefix does not cut a character in two")
  func prefixes() {
    let text = FixedText("aé🌱")
    #expect((0...8).map { text.prefix($0).string } == ["", "a", "a", "aé", "aé", "aé", "aé", "aé🌱", "aé🌱"])
    #expect(text.prefix(6).isTruncated && !text.prefix(7).isTruncated)
    let garbage = FixedText([0x80, 0x80, 0x80].span)
    #expect(garbage.prefix(2).count == 2)
  }

  @Test("words are compared without ASCII case, and as a whole")
  func matches() {
    #expect(FixedText("Toggle").matches("TOGGLE"))
    #expect(!FixedText("TOGGLE ").matches("TOGGLE") && !FixedText("TOGGL").matches("TOGGLE"))
    #expect(!FixedText("@").matches("`") && !FixedText("[").matches("{"))
  }
}
