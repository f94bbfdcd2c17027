import DeviceFile
import HAL
import MQTTCodec

/// Text of at most 512 bytes that lives on the stack: payloads, reasons and log lines are put together in
/// it without an allocation. What does not fit is cut off and `isTruncated` tells so.
public struct FixedText: Sendable {
  public static var capacity: Int { 512 }

  private var bytes = InlineArray<512, UInt8>(repeating: 0)
  public private(set) var count = 0
  public private(set) var isTruncated = false

  public init() {}

  public init(_ bytes: Span<UInt8>) {
    append(bytes)
  }

  public init(_ text: String) {
    append(text)
  }

  public var isEmpty: Bool { count == 0 }

  /// The text as a `String`, which may allocate.
  public var string: String {
    withSpan { span in span.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) } }
  }

  public subscript(index: Int) -> UInt8 { bytes[index] }

  /// Passes the bytes down; a span must not be kept.
  public func withSpan<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    body(bytes.span.extracting(0..<count))
  }

  @inline(never)
  public mutating func append(byte: UInt8) {
    guard count < FixedText.capacity else {
      isTruncated = true
      return
    }
    bytes[count] = byte
    count += 1
  }

  @inline(never)
  public mutating func append(_ span: Span<UInt8>) {
    for index in span.indices { append(byte: span[index]) }
  }

  @inline(never)
  public mutating func append(_ other: FixedText) {
    for index in 0..<other.count { append(byte: other[index]) }
  }

  @inline(never)
  public mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { for byte in $0 { append(byte: byte) } }
  }

  @inline(never)
  public mutating func append(_ text: String) {
    // Not its `utf8.span`: that of a short text lies on a stack that is gone when an optimized program reads it. And not
    // byte by byte: that brings code for strings in UTF-16 along.
    _ = text.utf8.withContiguousStorageIfAvailable { for byte in $0 { append(byte: byte) } }
  }

  @inline(never)
  public mutating func append(decimal value: Int64) {
    if value < 0 { append(byte: UInt8(ascii: "-")) }
    append(digitsOf: value.magnitude, base: 10)
  }

  /// The last so many hexadecimal digits, with zeros in front.
  mutating func append(hexadecimal value: UInt64, digits: Int) {
    for digit in stride(from: 4 * (digits - 1), through: 0, by: -4) {
      append(byte: FixedText.digit(UInt8(value >> UInt64(digit) & 15)))
    }
  }

  /// `0x44`
  @inline(never)
  public mutating func append(hex value: UInt8) {
    append("0x")
    append(byte: FixedText.digit(value >> 4))
    append(byte: FixedText.digit(value & 15))
  }

  /// `30min`, `90s`, `250ms`: the way durations are written in a device file.
  @inline(never)
  public mutating func append(_ duration: Duration) {
    let text = DurationText(milliseconds: duration.milliseconds)
    append(decimal: text.count)
    append(text.unit)
  }

  /// The text as the inside of a JSON string, as far as it fits with `room` bytes to spare: a character is
  /// there whole or not at all. Control characters and bytes that are not UTF-8 become `\u00XX`.
  @inline(never)
  public mutating func append(jsonEscaped text: FixedText, leaving room: Int = 0) {
    var index = 0
    while index < text.count {
      let byte = text[index]
      let length = text.characterLength(at: index)
      let isQuoted = byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
      let isPlain = length > 1 || length == 1 && byte >= 0x20 && byte != 0x7F
      guard FixedText.capacity - count - room >= (isQuoted ? 2 : isPlain ? length : 6) else {
        isTruncated = true
        return
      }
      if isQuoted { append(byte: UInt8(ascii: "\\")) }
      if isPlain {
        for offset in 0..<length { append(byte: text[index + offset]) }
      } else {
        append("\\u00")
        append(byte: FixedText.digit(byte >> 4))
        append(byte: FixedText.digit(byte & 15))
      }
      index += max(1, length)
    }
  }

  /// `12.000345`
  mutating func append(secondsOf moment: Instant) {
    let microseconds = moment.nanoseconds / 1_000
    append(decimal: microseconds / 1_000_000)
    // The digit before the six of the fraction is written as the point.
    let point = count
    append(decimal: 1_000_000 + microseconds % 1_000_000)
    if point < FixedText.capacity { bytes[point] = UInt8(ascii: ".") }
  }

  public mutating func removeAll() {
    count = 0
    isTruncated = false
  }

  /// At most the first `length` bytes, without a character that is cut in two.
  public func prefix(_ length: Int) -> FixedText {
    guard count > length else { return self }
    var end = 0
    while end < length {
      let next = end + max(1, characterLength(at: end))
      if next > length { break }
      end = next
    }
    var short = self
    short.count = end
    short.isTruncated = true
    return short
  }

  /// The bytes of the UTF-8 character that begins there; 0 when none does.
  private func characterLength(at index: Int) -> Int {
    let lead = bytes[index]
    if lead < 0x80 { return 1 }
    let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    guard index + length <= count else { return 0 }
    return UTF8Text.isValid(bytes.span.extracting(index..<index + length)) ? length : 0
  }

  /// Whether the text is this word, ASCII case aside.
  @inline(never)
  public func matches(_ word: StaticString) -> Bool { matches(text: FixedText(word)) }

  @inline(never)
  public func matches(text word: FixedText) -> Bool {
    guard word.count == count else { return false }
    for index in 0..<count where FixedText.lowercased(bytes[index]) != FixedText.lowercased(word.bytes[index])
    {
      return false
    }
    return true
  }

  private mutating func append(digitsOf value: UInt64, base: UInt64) {
    if value >= base { append(digitsOf: value / base, base: base) }
    append(byte: FixedText.digit(UInt8(value % base)))
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }
}

extension FixedText: Equatable {
  public static func == (left: FixedText, right: FixedText) -> Bool {
    guard left.count == right.count else { return false }
    for index in 0..<left.count where left.bytes[index] != right.bytes[index] { return false }
    return true
  }
}

extension FixedText: ExpressibleByStringLiteral {
  public init(stringLiteral text: StaticString) {
    append(text)
  }
}
