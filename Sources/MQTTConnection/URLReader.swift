import LinuxPlatform
import MQTTCodec

/// Takes a URL apart, byte by byte.
struct URLReader {
  private let kind: MQTTURL.Kind
  private var url = MQTTURL()

  init(_ kind: MQTTURL.Kind) {
    self.kind = kind
  }

  mutating func read(_ bytes: [UInt8]) throws(MQTTURLFault) -> MQTTURL {
    let start = try readScheme(bytes)
    if url.scheme == .unix {
      try readSocket(bytes[start...])
      return url
    }
    url.port = url.scheme.defaultPort
    let end = bytes[start...].firstIndex { $0 == 0x2F || $0 == 0x3F || $0 == 0x23 } ?? bytes.count
    if end < bytes.count { try readPath(bytes[end...]) }
    var hostStart = start
    if let at = bytes[start..<end].lastIndex(of: 0x40) {
      try readUser(bytes[start..<at])
      hostStart = at + 1
    }
    try readHost(bytes[hostStart..<end])
    return url
  }

  /// Where the scheme ends.
  private mutating func readScheme(_ bytes: [UInt8]) throws(MQTTURLFault) -> Int {
    guard let colon = bytes.firstIndex(of: 0x3A), bytes.count >= colon + 3, bytes[colon + 1] == 0x2F,
      bytes[colon + 2] == 0x2F
    else {
      throw fault(
        "@ has no scheme",
        isProxy
          ? "write socks5://HOST or socks5://HOST:PORT" : "write mqtt://HOST or mqtt://HOST:PORT")
    }
    var name: [UInt8] = []
    for byte in bytes[..<colon] { name.append(URLReader.lowercase(byte)) }
    for known in MQTTURL.Scheme.allCases where known.isProxy == isProxy && known.isNamed(name) {
      url.scheme = known
      return colon + 3
    }
    throw fault(
      "unknown scheme '$' in @",
      isProxy
        ? "write socks5:// or http://" : "write mqtt://, mqtts://, ws://, wss:// or unix://",
      text(bytes[..<colon]))
  }

  private mutating func readSocket(_ bytes: ArraySlice<UInt8>) throws(MQTTURLFault) {
    guard bytes.first == 0x2F, bytes.count > 1, bytes.count < 108 else {
      throw fault(
        "a local socket has a whole path of at most 107 bytes", "for example unix:///run/mosquitto/mqtt.sock")
    }
    url.host = text(bytes)
  }

  private mutating func readPath(_ bytes: ArraySlice<UInt8>) throws(MQTTURLFault) {
    if bytes.count == 1, bytes.first == 0x2F { return }
    let path = text(bytes)
    if url.scheme.isWebSocket {
      guard bytes.first == 0x2F, bytes.count <= 512,
        bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x23 })
      else {
        throw fault(
          "the path of a WebSocket begins with '/' and has printable characters without '#'",
          "for example ws://broker.local/mqtt")
      }
      url.path = path
    } else if kind == .serverAndTopic, bytes.first == 0x2F {
      url.topic = text(bytes.dropFirst())
    } else {
      throw pathFault
    }
  }

  private var pathFault: MQTTURLFault {
    fault(
      "@ goes on after the host",
      "leave the path out, or in a password write '/' as %2F, '?' as %3F, '#' as %23")
  }

  private mutating func readUser(_ bytes: ArraySlice<UInt8>) throws(MQTTURLFault) {
    let colon = bytes.firstIndex(of: 0x3A) ?? bytes.endIndex
    let name = try decode(bytes[bytes.startIndex..<colon])
    guard !name.isEmpty else { throw fault("the user name in @ is empty") }
    url.username = text(name[...])
    if colon < bytes.endIndex {
      url.password = text(try decode(bytes[(colon + 1)...])[...])
    }
  }

  /// Undoes percent-encoding.
  private func decode(_ bytes: ArraySlice<UInt8>) throws(MQTTURLFault) -> [UInt8] {
    var decoded: [UInt8] = []
    var index = bytes.startIndex
    while index < bytes.endIndex {
      var byte = bytes[index]
      if byte == 0x25 {
        guard index + 2 < bytes.endIndex, let high = URLReader.digit(bytes[index + 1]),
          let low = URLReader.digit(bytes[index + 2])
        else { throw fault("'%' in @ is not followed by two hexadecimal digits", "write '%' as %25") }
        byte = high << 4 | low
        index += 2
      }
      decoded.append(byte)
      index += 1
    }
    guard UTF8Text.isValid(decoded.span) else {
      throw fault("user name or password in @ is not text when decoded")
    }
    return decoded
  }

  private mutating func readHost(_ bytes: ArraySlice<UInt8>) throws(MQTTURLFault) {
    var hostEnd = bytes.firstIndex(of: 0x3A) ?? bytes.endIndex
    let isIPv6 = bytes.first == 0x5B
    if isIPv6 {
      guard let bracket = bytes.firstIndex(of: 0x5D) else { throw fault("'[' without ']' in @") }
      hostEnd = bracket + 1
    } else if bytes[hostEnd...].dropFirst().contains(0x3A) {
      throw fault("more than one ':' after the host", "write IPv6 as mqtt://[::1]:1883")
    }
    let name = isIPv6 ? bytes[(bytes.startIndex + 1)..<(hostEnd - 1)] : bytes[..<hostEnd]
    guard !name.isEmpty else { throw fault("@ has no host") }
    url.host = text(name)
    guard name.count <= 253, name.allSatisfy({ URLReader.isHostByte($0, isIPv6) }) else {
      throw fault("the host in @ is no name and no address")
    }
    if let problem = Endpoint(host: url.host, port: 0).problem {
      throw MQTTURLFault(message: problem, suggestion: nil)
    }
    if hostEnd == bytes.endIndex { return }
    guard bytes[hostEnd] == 0x3A else { throw fault("only ':' and a port can follow ']' in @") }
    url.port = try port(bytes[(hostEnd + 1)...])
  }

  private func port(_ bytes: ArraySlice<UInt8>) throws(MQTTURLFault) -> UInt16 {
    var number = 0
    for byte in bytes where number <= 65_535 {
      number = URLReader.isDigit(byte) ? number * 10 + Int(byte - 0x30) : 65_536
    }
    guard number >= 1, number <= 65_535 else {
      // `u:a/b@h`, where a topic may follow.
      if let topic = url.topic, Array(topic.utf8).contains(0x40) { throw pathFault }
      throw fault("the port in @ must be a number from 1 to 65535")
    }
    return UInt16(number)
  }

  private var isProxy: Bool { kind == .proxy }
}

// MARK: Bytes and words

extension URLReader {
  private static func isHostByte(_ byte: UInt8, _ isIPv6: Bool) -> Bool {
    let lower = lowercase(byte)
    if isIPv6, byte == 0x3A || byte == 0x25 { return true }
    return lower >= 0x61 && lower <= 0x7A || isDigit(byte) || byte == 0x2D || byte == 0x2E || byte == 0x5F
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  private static func lowercase(_ byte: UInt8) -> UInt8 {
    byte >= 0x41 && byte <= 0x5A ? byte + 0x20 : byte
  }

  /// The value of a hexadecimal digit.
  private static func digit(_ byte: UInt8) -> UInt8? {
    if isDigit(byte) { return byte - 0x30 }
    let lower = lowercase(byte)
    return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : nil
  }

  @inline(never)
  private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

  /// '@' in a text stands for what is read, '$' for `name`.
  @inline(never)
  private func fault(_ message: StaticString, _ suggestion: StaticString? = nil, _ name: String = "")
    -> MQTTURLFault
  {
    var text: [UInt8] = []
    message.withUTF8Buffer { bytes in
      for byte in bytes {
        switch byte {
        case 0x40: text += isProxy ? Array("the proxy's URL".utf8) : Array("the broker URL".utf8)
        case 0x24: text += Array(name.utf8)
        default: text.append(byte)
        }
      }
    }
    return MQTTURLFault(
      message: self.text(text[...]),
      suggestion: suggestion?.description)
  }
}

extension MQTTURL.Scheme {
  fileprivate var isProxy: Bool { self == .socks5 || self == .http }

  /// The name in small letters. What curl calls socks5h looks names up at the proxy, which we always do.
  fileprivate func isNamed(_ text: [UInt8]) -> Bool {
    text == Array(name.utf8) || self == .socks5 && text == Array("socks5h".utf8)
  }
}
