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
  /// What has come of the answer that is awaited.
  private var input = HTTPHead()
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
  mutating func take(_ bytes: [UInt8]) -> Outcome {
    input.add(bytes)
    wanted -= bytes.count
    if wanted > 0 { return .more }
    switch state {
    case .choosingMethod: return chooseMethod()
    case .authenticating:
      if input.bytes[1] != 0 { return .refused("the proxy refuses user or password") }
      ask()
    case .asking:
      if input.bytes[1] != 0 { return .refused(ProxyHandshake.reason(input.bytes[1])) }
      // An address of 4 or 16 bytes, or a name with its length; and a port. One byte of it has been read.
      let length = input.bytes[3] == 1 ? 3 : input.bytes[3] == 4 ? 15 : Int(input.bytes[4])
      expect(length + 2, .skippingAddress)
    case .skippingAddress: return .done
    case .readingHead: return readHead()
    }
    return .more
  }

  private mutating func expect(_ count: Int, _ next: State) {
    input = HTTPHead()
    wanted = count
    state = next
  }

  private mutating func chooseMethod() -> Outcome {
    guard input.bytes[0] == 5 else { return .refused("the proxy does not speak SOCKS 5") }
    switch (input.bytes[1], proxy.username) {
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
    let bytes = Array(text.utf8)
    let count = min(bytes.count, 255)
    output.append(UInt8(count))
    for index in 0..<count { output.append(bytes[index]) }
  }

  /// CONNECT to an address or a name.
  private mutating func ask() {
    output = [5, 1, 0]
    var address = [UInt8](repeating: 0, count: 16)
    let length = Int(target.host.withCString { linux_numeric_address($0, &address) })
    if length > 0 {
      output.append(length == 4 ? 1 : 4)
      for index in 0..<length { output.append(address[index]) }
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
    var head = HTTPHead()
    head.add("CONNECT ")
    head.add(target)
    head.add(" HTTP/1.1\r\nHost: ")
    head.add(target)
    if let username = proxy.username {
      head.add("\r\nProxy-Authorization: Basic ")
      var login = HTTPHead()
      login.add(username)
      login.add(":")
      login.add(proxy.password ?? "")
      head.add(base64(login.bytes))
    }
    head.add("\r\n\r\n")
    return head.bytes
  }

  /// Byte for byte up to the empty line; a status of 200 to 299 means that the connection is there.
  private mutating func readHead() -> Outcome {
    guard input.end != nil else {
      wanted = 1
      if input.bytes.count < ProxyHandshake.longestHead { return .more }
      return .refused("the proxy's answer has no end")
    }
    if input.has("http/1.0 2") || input.has("http/1.1 2") { return .done }
    return .refused("the proxy refuses: " + input.statusLine)
  }
}
