import Testing

@testable import LinuxPlatform

/// What is said to proxies, byte for byte (RFC 1928, RFC 1929, RFC 9110).
struct ProxyHandshakeTests {
  private let socks = Endpoint(host: "proxy", port: 1080)

  private func handshake(_ kind: ProxySettings.Kind, to host: String = "b.io", user: String? = nil)
    -> ProxyHandshake
  {
    let proxy = ProxySettings(kind, socks, username: user, password: user.map { _ in "pw" })
    return ProxyHandshake(proxy, to: Endpoint(host: host, port: 0x1234))
  }

  /// Hands bytes over one by one; what comes of the last one.
  private func give(_ bytes: [UInt8], to handshake: inout ProxyHandshake) -> String {
    var outcome = ProxyHandshake.Outcome.more
    for byte in bytes {
      #expect(handshake.wanted > 0)
      outcome = handshake.take([byte])
    }
    return switch outcome {
    case .more: "more"
    case .done: "done"
    case .refused(let reason): reason
    }
  }

  @Test func `SOCKS without a user is asked for a name, and its answer read to the last byte`() {
    var proxy = handshake(.socks5)
    #expect(proxy.takeOutput() == [5, 1, 0])
    #expect(give([5, 0], to: &proxy) == "more")
    #expect(proxy.takeOutput() == [5, 1, 0, 3, 4] + Array("b.io".utf8) + [0x12, 0x34])
    #expect(give([5, 0, 0, 1, 10, 0, 0], to: &proxy) == "more")
    #expect(proxy.wanted == 3)
    #expect(give([1, 0, 80], to: &proxy) == "done")
  }

  @Test func `the proxy's answer may hold an IPv6 address or a name`() {
    var six = handshake(.socks5)
    #expect(give([5, 0], to: &six) == "more")
    #expect(give([5, 0, 0, 4] + [UInt8](repeating: 0, count: 17), to: &six) == "more")
    #expect(give([1], to: &six) == "done")
    var name = handshake(.socks5)
    #expect(give([5, 0], to: &name) == "more")
    #expect(give([5, 0, 0, 3, 1, 0x61, 0], to: &name) == "more")
    #expect(give([80], to: &name) == "done")
  }

  @Test(arguments: [
    ("127.0.0.1", [1, 127, 0, 0, 1]), ("::1", [4] + [UInt8](repeating: 0, count: 15) + [1]),
  ])
  func `SOCKS is asked for an address as an address`(host: String, written: [UInt8]) {
    var proxy = handshake(.socks5, to: host)
    _ = proxy.takeOutput()
    #expect(give([5, 0], to: &proxy) == "more")
    #expect(proxy.takeOutput() == [5, 1, 0] + written + [0x12, 0x34])
  }

  @Test func `user and password are given when SOCKS wants them`() {
    var proxy = handshake(.socks5, user: "me")
    #expect(proxy.takeOutput() == [5, 2, 0, 2])
    #expect(give([5, 2], to: &proxy) == "more")
    #expect(proxy.takeOutput() == [1, 2] + Array("me".utf8) + [2] + Array("pw".utf8))
    var refused = proxy
    #expect(give([1, 1], to: &refused) == "the proxy refuses user or password")
    #expect(give([1, 0], to: &proxy) == "more")
    #expect(proxy.takeOutput().prefix(4) == [5, 1, 0, 3])
  }

  @Test(arguments: [
    ([4, 0], "the proxy does not speak SOCKS 5"), ([5, 255], "the proxy wants a user and a password"),
    ([5, 2], "the proxy wants a user and a password"),
    ([5, 0, 5, 2, 0, 1, 0], "the proxy does not allow this broker"),
    ([5, 0, 5, 4, 0, 1, 0], "the proxy does not reach the broker"),
    ([5, 0, 5, 5, 0, 1, 0], "the proxy: the broker refuses connections"),
    ([5, 0, 5, 1, 0, 1, 0], "the proxy fails, SOCKS code 1"),
  ])
  func `what SOCKS says against it is told`(answers: [UInt8], told: String) {
    var proxy = handshake(.socks5)
    #expect(give(answers, to: &proxy) == told)
  }

  @Test func `CONNECT names the broker, and user and password are coded`() {
    var proxy = handshake(.http, to: "::1", user: "me")
    let request = String(decoding: proxy.takeOutput(), as: UTF8.self)
    #expect(
      request == "CONNECT [::1]:4660 HTTP/1.1\r\nHost: [::1]:4660\r\n"
        + "Proxy-Authorization: Basic bWU6cHc=\r\n\r\n")
    #expect(give(Array("HTTP/1.0 200 OK\r\nA: b\r\n\r".utf8), to: &proxy) == "more")
    #expect(proxy.wanted == 1)
    #expect(give([0x0A], to: &proxy) == "done")
  }

  @Test func `an HTTP proxy's refusal is quoted, and one without end is left`() {
    var proxy = handshake(.http)
    #expect(
      give(Array("HTTP/1.1 407 Who are you?\r\n\r\n".utf8), to: &proxy)
        == "the proxy refuses: HTTP/1.1 407 Who are you?")
    var endless = handshake(.http)
    #expect(give([UInt8](repeating: 0x61, count: 4096), to: &endless) == "the proxy's answer has no end")
  }
}
