import DeviceFile
import LinuxPlatform

/// `mqtt://user:password@host:port`, or a proxy's URL, taken apart. Messages quote nothing behind the scheme:
/// what is wrong may be that a password stands in the wrong place.
final class BrokerURL {
  var scheme = BrokerScheme.mqtt
  var host = ""
  var port: UInt16 = 0
  /// Path and query, of WebSockets only.
  var path = "/"
  var username: String?
  var password: String?

  struct Fault: Error {
    let message: Message
    var suggestion: Message?
  }

  /// `the broker URL`
  private let title: String
  private let schemes: [BrokerScheme]

  private init(title: String, schemes: [BrokerScheme]) {
    self.title = title
    self.schemes = schemes
  }

  /// Of a broker, or of a proxy.
  static func parse(_ text: String, isProxy: Bool = false) throws(Fault) -> BrokerURL {
    let bytes = text.bytes
    let url =
      isProxy
      ? BrokerURL(title: "the proxy's URL", schemes: BrokerScheme.proxies)
      : BrokerURL(title: "the broker URL", schemes: BrokerScheme.brokers)
    let start = try url.readScheme(bytes)
    if url.scheme == .unix {
      try url.readSocket(bytes[start...])
      return url
    }
    url.port = url.scheme.defaultPort
    let rest = bytes[start...]
    let end = rest.firstIndex { $0 == 0x2F || $0 == 0x3F || $0 == 0x23 } ?? bytes.count
    if end < bytes.count { try url.readPath(bytes[end...]) }
    var hostStart = start
    if let at = bytes[start..<end].lastIndex(of: 0x40) {
      try url.readUser(bytes[start..<at])
      hostStart = at + 1
    }
    try url.readHost(bytes[hostStart..<end])
    return url
  }

  /// Where the scheme ends.
  private func readScheme(_ bytes: [UInt8]) throws(Fault) -> Int {
    guard let colon = bytes.firstIndex(of: 0x3A), bytes.count >= colon + 3, bytes[colon + 1] == 0x2F,
      bytes[colon + 2] == 0x2F
    else {
      throw Fault(
        message: "\(title) has no scheme",
        suggestion: "write \(schemes[0].name)://HOST or \(schemes[0].name)://HOST:PORT")
    }
    let name = String(decoding: bytes[..<colon], as: UTF8.self)
    for known in schemes where name.equalsIgnoringCase(known.name) {
      scheme = known
      return colon + 3
    }
    throw Fault(
      message: "unknown scheme \(name.quoted) in \(title)",
      suggestion: "write \(listed(schemes.map { $0.name + "://" }, last: "or"))")
  }

  private func readSocket(_ bytes: ArraySlice<UInt8>) throws(Fault) {
    guard bytes.first == 0x2F, bytes.count > 1, bytes.count < 108 else {
      throw Fault(
        message: "a local socket has a whole path of at most 107 bytes",
        suggestion: "for example unix:///run/mosquitto/mqtt.sock")
    }
    host = String(decoding: bytes, as: UTF8.self)
  }

  private func readPath(_ bytes: ArraySlice<UInt8>) throws(Fault) {
    if bytes.count == 1, bytes.first == 0x2F { return }
    guard scheme.isWebSocket else {
      throw Fault(
        message: "\(title) goes on after the host",
        suggestion: "leave the path out, or in a password write '/' as %2F, '?' as %3F, '#' as %23")
    }
    guard bytes.first == 0x2F, bytes.count <= 512, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x23 })
    else {
      throw Fault(
        message: "the path of a WebSocket begins with '/' and has printable characters without '#'",
        suggestion: "for example ws://broker.local/mqtt")
    }
    path = String(decoding: bytes, as: UTF8.self)
  }

  private func readUser(_ bytes: ArraySlice<UInt8>) throws(Fault) {
    let colon = bytes.firstIndex(of: 0x3A)
    let name = try decode(bytes[bytes.startIndex..<(colon ?? bytes.endIndex)])
    guard !name.utf8.isEmpty else { throw Fault(message: "the user name in \(title) is empty") }
    username = name
    if let colon { password = try decode(bytes[(colon + 1)...]) }
  }

  /// Undoes percent-encoding.
  private func decode(_ bytes: ArraySlice<UInt8>) throws(Fault) -> String {
    var decoded: [UInt8] = []
    var index = bytes.startIndex
    while index < bytes.endIndex {
      var byte = bytes[index]
      if byte == 0x25 {
        guard index + 2 < bytes.endIndex, let high = BrokerURL.digit(bytes[index + 1]),
          let low = BrokerURL.digit(bytes[index + 2])
        else {
          throw Fault(
            message: "'%' in \(title) is not followed by two hexadecimal digits",
            suggestion: "write '%' as %25")
        }
        byte = high << 4 | low
        index += 2
      }
      decoded.append(byte)
      index += 1
    }
    guard firstInvalidByte(of: decoded) == nil, !decoded.contains(0) else {
      throw Fault(message: "user name or password in \(title) is not text when decoded")
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  /// The value of a hexadecimal digit.
  static func digit(_ byte: UInt8) -> UInt8? {
    if isDigit(byte) { return byte - 0x30 }
    let lower = lowercase(byte)
    return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : nil
  }

  private func readHost(_ bytes: ArraySlice<UInt8>) throws(Fault) {
    var hostEnd = bytes.firstIndex(of: 0x3A) ?? bytes.endIndex
    let isIPv6 = bytes.first == 0x5B
    if isIPv6 {
      guard let bracket = bytes.firstIndex(of: 0x5D) else {
        throw Fault(message: "'[' without ']' in \(title)")
      }
      hostEnd = bracket + 1
    } else if bytes[hostEnd...].filter({ $0 == 0x3A }).count > 1 {
      throw Fault(message: "more than one ':' after the host", suggestion: "write IPv6 as mqtt://[::1]:1883")
    }
    let name = isIPv6 ? bytes[(bytes.startIndex + 1)..<(hostEnd - 1)] : bytes[..<hostEnd]
    guard !name.isEmpty else { throw Fault(message: "\(title) has no host") }
    host = String(decoding: name, as: UTF8.self)
    guard name.count <= 253, name.allSatisfy({ BrokerURL.isHostByte($0, isIPv6) }) else {
      throw Fault(message: "the host in \(title) is no name and no address")
    }
    if let problem = Endpoint(host: host, port: 0).problem { throw Fault(message: "\(problem)") }
    if hostEnd == bytes.endIndex { return }
    guard bytes[hostEnd] == 0x3A else {
      throw Fault(message: "only ':' and a port can follow ']' in \(title)")
    }
    port = try port(bytes[(hostEnd + 1)...])
  }

  private static func isHostByte(_ byte: UInt8, _ isIPv6: Bool) -> Bool {
    let lower = lowercase(byte)
    let isLetter = lower >= 0x61 && lower <= 0x7A
    if isIPv6, byte == 0x3A || byte == 0x25 { return true }
    return isLetter || isDigit(byte) || byte == 0x2D || byte == 0x2E || byte == 0x5F
  }

  private func port(_ bytes: ArraySlice<UInt8>) throws(Fault) -> UInt16 {
    let text = String(decoding: bytes, as: UTF8.self)
    if bytes.allSatisfy(isDigit), let number = parseInteger(text), number >= 1, number <= 65535 {
      return UInt16(number)
    }
    throw Fault(message: "the port in \(title) must be a number from 1 to 65535")
  }
}
