/// The head of an HTTP message (RFC 9112, section 2.1): bytes that are put together and looked through one by
/// one, which costs a device's program a fraction of what Strings would.
struct HTTPHead {
  private(set) var bytes: [UInt8] = []

  @inline(never)
  mutating func add(_ text: StaticString) {
    for index in 0..<text.utf8CodeUnitCount { bytes.append(text.utf8Start[index]) }
  }

  @inline(never)
  mutating func add(_ text: String) {
    add(Array(text.utf8))
  }

  @inline(never)
  mutating func add(_ more: [UInt8]) {
    for byte in more { bytes.append(byte) }
  }

  /// `[::1]:1883`
  mutating func add(_ endpoint: Endpoint, withPort: Bool = true) {
    let isIPv6 = Array(endpoint.host.utf8).contains(0x3A)
    if isIPv6 { add("[") }
    add(endpoint.host)
    if isIPv6 { add("]") }
    if withPort {
      add(":")
      add(String(endpoint.port))
    }
  }

  /// Where what follows the head begins; nil: the head is not whole yet.
  var end: Int? {
    var index = 3
    while index < bytes.count {
      if bytes[index] == 0x0A, bytes[index - 1] == 0x0D, bytes[index - 2] == 0x0A, bytes[index - 3] == 0x0D {
        return index + 1
      }
      index += 1
    }
    return nil
  }

  /// The text stands at `index`. Case counts for nothing; `text` is lower case.
  @inline(never)
  func has(_ text: StaticString, at index: Int = 0) -> Bool {
    guard index + text.utf8CodeUnitCount <= bytes.count else { return false }
    for offset in 0..<text.utf8CodeUnitCount {
      let byte = bytes[index + offset]
      let lower = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
      if lower != text.utf8Start[offset] { return false }
    }
    return true
  }

  /// Where the value of the field with that name stands; `name` is lower case. Nil: no such field.
  @inline(never)
  func field(_ name: StaticString) -> Range<Int>? {
    var index = 1
    while index < bytes.count {
      let colon = index + name.utf8CodeUnitCount
      if bytes[index - 1] == 0x0A, has(name, at: index), colon < bytes.count, bytes[colon] == 0x3A {
        return trimmed(from: colon + 1)
      }
      index += 1
    }
    return nil
  }

  /// The field's value is `text`, or has it somewhere; `text` is lower case.
  func field(_ name: StaticString, has text: StaticString) -> Bool {
    guard let value = field(name) else { return false }
    var index = value.lowerBound
    while index + text.utf8CodeUnitCount <= value.upperBound {
      if has(text, at: index) { return true }
      index += 1
    }
    return false
  }

  /// The field's value is exactly that.
  func field(_ name: StaticString, is text: [UInt8]) -> Bool {
    guard let value = field(name), value.count == text.count else { return false }
    for index in 0..<text.count where bytes[value.lowerBound + index] != text[index] { return false }
    return true
  }

  /// The first line, for the log: at most 80 characters that can be printed.
  var statusLine: String {
    var line: [UInt8] = []
    for byte in bytes {
      if byte == 0x0D || byte == 0x0A || line.count == 80 { break }
      line.append(byte >= 0x20 && byte < 0x7F ? byte : 0x3F)
    }
    return String(decoding: line, as: UTF8.self)
  }

  /// To the end of the line, without the blanks around it.
  private func trimmed(from start: Int) -> Range<Int> {
    var start = start
    while start < bytes.count, isBlank(bytes[start]) { start += 1 }
    var end = start
    while end < bytes.count, bytes[end] != 0x0A { end += 1 }
    while end > start, isBlank(bytes[end - 1]) || bytes[end - 1] == 0x0D { end -= 1 }
    return start..<end
  }

  private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
