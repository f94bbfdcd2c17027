/// A JSON document that is put together in memory of its own, which it keeps: written again and again, it allocates nothing
/// unless one is longer than all before it.
final class JSONDocument {
  private var bytes: [UInt8] = []
  private var needsComma = false

  var count: Int { bytes.count }

  func withSpan<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    let bytes = bytes
    return body(bytes.span)
  }

  func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    needsComma = false
  }

  /// An object, or the value of one's member.
  func object(_ body: () -> Void) {
    bytes.append(UInt8(ascii: "{"))
    needsComma = false
    body()
    bytes.append(UInt8(ascii: "}"))
    needsComma = true
  }

  func object(_ key: String, _ body: () -> Void) {
    begin()
    quote(key)
    bytes.append(UInt8(ascii: ":"))
    object(body)
  }

  func object(_ key: StaticString, _ body: () -> Void) {
    self.key(key)
    object(body)
  }

  /// An array of objects.
  func array(_ key: StaticString, _ body: () -> Void) {
    self.key(key)
    bytes.append(UInt8(ascii: "["))
    needsComma = false
    body()
    bytes.append(UInt8(ascii: "]"))
    needsComma = true
  }

  /// One of an array.
  func element(_ body: () -> Void) {
    begin()
    object(body)
  }

  func member(_ key: StaticString, _ text: String) {
    self.key(key)
    quote(text)
  }

  @inline(never)
  func member(_ key: StaticString, _ text: StaticString) {
    self.key(key)
    bytes.append(UInt8(ascii: "\""))
    text.withUTF8Buffer { for byte in $0 { escape(byte) } }
    bytes.append(UInt8(ascii: "\""))
  }

  func member(_ key: StaticString, _ number: Int64) {
    self.key(key)
    append(digitsOf: number.magnitude)
  }

  func member(_ key: StaticString, _ flag: Bool) {
    self.key(key)
    append(flag ? "true" : "false")
  }

  @inline(never)
  private func key(_ key: StaticString) {
    begin()
    bytes.append(UInt8(ascii: "\""))
    append(key)
    append("\":")
  }

  private func begin() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  private func append(_ text: StaticString) {
    text.withUTF8Buffer { for byte in $0 { bytes.append(byte) } }
  }

  private func append(digitsOf number: UInt64) {
    if number >= 10 { append(digitsOf: number / 10) }
    bytes.append(UInt8(ascii: "0") + UInt8(number % 10))
  }

  @inline(never)
  private func quote(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 { escape(byte) }
    bytes.append(UInt8(ascii: "\""))
  }

  private func escape(_ byte: UInt8) {
    if byte < 0x20 || byte == 0x7F {
      append("\\u00")
      bytes.append(UInt8(ascii: "0") + byte >> 4)
      bytes.append(byte & 15 < 10 ? UInt8(ascii: "0") + byte & 15 : UInt8(ascii: "a") + byte & 15 - 10)
      return
    }
    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
    bytes.append(byte)
  }
}
