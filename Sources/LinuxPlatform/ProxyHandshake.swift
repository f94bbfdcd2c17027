import CLinux

/// A proxy that connections to brokers go through.
public struct ProxySettings: Sendable {
  public enum Kind: Sendable {
    /// SOCKS version 5 (RFC 1928).
    case socks5
    /// HTTP's CONNECT (RFC 9110, section 9.3.6).
    case http
  }

  public var kind: Kind
  public var endpoint: Endpoint
  /// With a user: the proxy is told user and password, in the clear. Each at most 255 bytes.
  public var username: String?
  public var password: String?

  public init(_ kind: Kind, _ endpoint: Endpoint, username: String? = nil, password: String? = nil) {
    self.kind = kind
    self.endpoint = endpoint
    self.username = username
    self.password = password
  }
}

/// What is said to a proxy until it has made the connection. The proxy looks the broker's name up.
struct ProxyHandshake {
  enum Outcome {
    case more
    /// What follows comes from the broker.
    case done
    case refused(String)
  }

  private enum State {
    case choosingMethod
    case authenticating
    /// Reads the answer as far as the length of the address in it.
    case asking
    case skippingAddress
    case readingHead
  }

  private let proxy: ProxySettings
  private let target: Endpoint
  private var state: State
  private var output: [UInt8] = []
  private var input: [UInt8] = []
  /// How many more bytes have to be read, and may be.
  private(set) var wanted: Int

  private static let longestHead = 4096

  init(_ proxy: ProxySettings, to target: Endpoint) {
    self.proxy = proxy
    self.target = target
    switch proxy.kind {
    case .socks5:
      state = .choosingMethod
      wanted = 2
      // Version 5; without authentication or, if we have one, with user and password.
      output = proxy.username == nil ? [5, 1, 0] : [5, 2, 0, 2]
    case .http:
      state = .readingHead
      wanted = 1
      output = connectRequest()
    }
  }

  /// What has to be sent now.
  mutating func takeOutput() -> [UInt8] {
    let bytes = output
    output = []
    return bytes
  }

  /// At most `wanted` bytes from the proxy.
  mutating func take(_ bytes: ArraySlice<UInt8>) -> Outcome {
    input += bytes
    wanted -= bytes.count
    if wanted > 0 { return .more }
    switch state {
    case .choosingMethod: return chooseMethod()
    case .authenticating:
      if input[1] != 0 { return .refused("the proxy refuses user or password") }
      ask()
    case .asking:
      if input[1] != 0 { return .refused(ProxyHandshake.reason(input[1])) }
      // An address of 4 or 16 bytes, or a name with its length; and a port. One byte of it has been read.
      let length = input[3] == 1 ? 3 : input[3] == 4 ? 15 : Int(input[4])
      expect(length + 2, .skippingAddress)
    case .skippingAddress: return .done
    case .readingHead: return readHead()
    }
    return .more
  }

  private mutating func expect(_ count: Int, _ next: State) {
    input = []
    wanted = count
    state = next
  }

  private mutating func chooseMethod() -> Outcome {
    guard input[0] == 5 else { return .refused("the proxy does not speak SOCKS 5") }
    switch (input[1], proxy.username) {
    case (0, _): ask()
    case (2, let username?):
      // RFC 1929
      output = [1]
      append(username)
      append(proxy.password ?? "")
      expect(2, .authenticating)
    default:
      let cause = proxy.username == nil ? "wants a user and a password" : "takes no password"
      return .refused("the proxy " + cause)
    }
    return .more
  }

  private mutating func append(_ text: String) {
    let bytes = Array(text.utf8).prefix(255)
    output.append(UInt8(bytes.count))
    output += bytes
  }

  /// CONNECT to an address or a name.
  private mutating func ask() {
    output = [5, 1, 0]
    var address = [UInt8](repeating: 0, count: 16)
    let length = Int(target.host.withCString { linux_numeric_address($0, &address) })
    if length > 0 {
      output.append(length == 4 ? 1 : 4)
      output += address.prefix(length)
    } else {
      output.append(3)
      append(target.host)
    }
    output.append(UInt8(target.port >> 8))
    output.append(UInt8(target.port & 255))
    expect(5, .asking)
  }

  /// RFC 1928, section 6.
  private static func reason(_ code: UInt8) -> String {
    switch code {
    case 2: "the proxy does not allow this broker"
    case 3, 4: "the proxy does not reach the broker"
    case 5: "the proxy: the broker refuses connections"
    default: "the proxy fails, SOCKS code " + String(code)
    }
  }

  private func connectRequest() -> [UInt8] {
    let place = target.authority
    var text = "CONNECT " + place + " HTTP/1.1\r\nHost: " + place
    if let username = proxy.username {
      let login = base64(Array((username + ":" + (proxy.password ?? "")).utf8))
      text += "\r\nProxy-Authorization: Basic " + String(decoding: login, as: UTF8.self)
    }
    text += "\r\n\r\n"
    return Array(text.utf8)
  }

  /// Byte for byte up to the empty line; a status of 200 to 299 means that the connection is there.
  private mutating func readHead() -> Outcome {
    let end: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]
    guard input.suffix(4) == end[...] else {
      wanted = 1
      if input.count < ProxyHandshake.longestHead { return .more }
      return .refused("the proxy's answer has no end")
    }
    // "HTTP/1.1 200"
    if input.count > 12, input[0] == 0x48, input[8] == 0x20, input[9] == 0x32 { return .done }
    let line = input.prefix { $0 >= 0x20 && $0 < 0x7F }.prefix(80)
    return .refused("the proxy refuses: " + String(decoding: line, as: UTF8.self))
  }
}
