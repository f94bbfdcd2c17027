import LinuxPlatform

extension Endpoint {
  /// The first server of a reference to other servers (MQTT 5.0, section 4.11): `host`, `host:port`,
  /// `address` or `[address]:port`, ended by a space. Nil: it is none of these.
  init?(reference: [UInt8], defaultPort: UInt16) {
    var text = reference[...]
    if let end = text.firstIndex(of: UInt8(ascii: " ")) { text = text[..<end] }
    var host = text
    var port: ArraySlice<UInt8>?
    if text.first == UInt8(ascii: "[") {
      guard let end = text.firstIndex(of: UInt8(ascii: "]")) else { return nil }
      host = text[(text.startIndex + 1)..<end]
      if end + 1 < text.endIndex {
        guard text[end + 1] == UInt8(ascii: ":") else { return nil }
        port = text[(end + 2)...]
      }
    } else if let colon = text.firstIndex(of: UInt8(ascii: ":")),
      !text[(colon + 1)...].contains(UInt8(ascii: ":"))
    {
      host = text[..<colon]
      port = text[(colon + 1)...]
    }
    // A name that begins with a slash would be a local socket's: not for a server to say.
    guard !host.isEmpty, host.first != UInt8(ascii: "/"), let number = port.map(Self.port) ?? defaultPort
    else { return nil }
    self.init(host: String(decoding: host, as: UTF8.self), port: number)
  }

  /// Compares names byte by byte: comparing Strings would bring Unicode's tables along.
  @inline(never)
  func isSame(as other: Endpoint) -> Bool {
    port == other.port && Array(host.utf8) == Array(other.host.utf8)
  }

  private static func port(_ digits: ArraySlice<UInt8>) -> UInt16? {
    guard !digits.isEmpty, digits.count <= 5 else { return nil }
    var number: UInt32 = 0
    for digit in digits {
      guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
      number = number * 10 + UInt32(digit - UInt8(ascii: "0"))
    }
    return number == 0 || number > 65_535 ? nil : UInt16(number)
  }
}
