import MQTTAsync
import Testing

struct URLTests {
  @Test("A URL gives scheme, user, password, host, port and path") func aURLGivesSchemeUserPasswordHost()
    throws
  {
    let url = try MQTTURL("wss://me:p%40ss@[::1]:9001/mqtt/x")
    #expect(url.scheme == .wss)
    #expect(url.username == "me")
    #expect(url.password == "p@ss")
    #expect(url.host == "::1")
    #expect(url.port == 9001)
    #expect(url.path == "/mqtt/x")
  }

  @Test(
    "Each scheme has its port",
    arguments: [
      ("mqtt://h", 1883), ("mqtts://h", 8883), ("ws://h", 80), ("wss://h", 443), ("MQTT://h:5", 5),
      ("unix:///run/s", 0),
    ])
  func eachSchemeHasItsPort(_ text: String, _ port: Int) throws {
    #expect(try MQTTURL(text).port == UInt16(port))
  }

  @Test(
    "What is no URL is refused",
    arguments: [
      "broker.local", "http://h", "mqtt://", "mqtt://h:0", "mqtt://h:x", "mqtt://[::1", "mqtt://[::1]x",
      "mqtt://u:%2@h", "unix://relative", "mqtt://h/some/path", "mqtt://h?query", "mqtt://u:a#b@h",
      "mqtt://a b",
    ])
  func whatIsNoURLIsRefused(_ text: String) async {
    #expect(throws: MQTTURLFault.self) { try MQTTURL(text) }
    await #expect(throws: MQTTAsyncError.self) { try await MQTTAsyncClient.connect(text) }
  }

  @Test("Where a topic may follow, it is all behind the slash, and nothing else is let through")
  func topics() throws {
    #expect(try MQTTURL("mqtt://u:p@h:1/a/+/#", .serverAndTopic).topic == "a/+/#")
    #expect(try MQTTURL("mqtt://h/", .serverAndTopic).topic == nil)
    #expect(try MQTTURL("ws://h/mqtt", .serverAndTopic).path == "/mqtt")
    for text in ["mqtt://u:a#b@h", "mqtt://u:a/b@h", "mqtt://u:a?b@h"] {
      let fault = #expect(throws: MQTTURLFault.self) { try MQTTURL(text, .serverAndTopic) }
      #expect(
        fault?.description
          == "the broker URL goes on after the host; leave the path out, or in a password write '/' as %2F, '?' as %3F, '#' as %23"
      )
    }
  }

  @Test("A link-local address needs its interface", arguments: ["mqtt://[fe80::1]", "wss://[FEBF::1]/mqtt"])
  func linkLocal(_ text: String) throws {
    let words = "a link-local address needs its interface: [fe80::1%eth0]"
    let error = MQTTAsyncError.invalidURL(words)
    #expect(throws: MQTTURLFault(message: words, suggestion: nil)) { try MQTTURL(text) }
    #expect(throws: error) { try MQTTURL("mqtt://h").server(transport(through: "socks5://[fe80::1]")) }
    for other in ["mqtt://[fe80::1%eth0]", "mqtt://[fec0::1]", "mqtt://fe80"] {
      #expect(throws: Never.self) { try MQTTURL(other).server() }
    }
  }

  private func transport(through proxy: String) -> MQTTTransport {
    var transport = MQTTTransport()
    transport.proxy = proxy
    return transport
  }

  @Test("The words for a wrong URL contain no password") func theWordsForAWrongURLContain() {
    do {
      _ = try MQTTURL("mqtt://user:se%zzcret@h")
      Issue.record("taken")
    } catch {
      #expect(!"\(error)".contains("cret"))
    }
  }

  @Test(
    "A proxy's URL gives kind, user, password, host and port",
    arguments: [
      ("socks5://h", "socks5 h 1080 nil nil"), ("SOCKS5h://me:p%40ss@h:9050", "socks5 h 9050 me p@ss"),
      ("http://[::1]", "http ::1 3128 nil nil"), ("http://me@h:8080/", "http h 8080 me nil"),
    ])
  func proxies(_ text: String, _ expected: String) throws {
    var transport = MQTTTransport()
    transport.proxy = text
    let proxy = try #require(MQTTURL("mqtt://broker").server(transport).proxy)
    #expect(
      "\(proxy.kind) \(proxy.endpoint.host) \(proxy.endpoint.port) \(proxy.username ?? "nil") \(proxy.password ?? "nil")"
        == expected)
    #expect(try MQTTURL("unix:///run/s").server(transport).proxy == nil)
  }

  @Test("What is no proxy is refused", arguments: ["h:1080", "ftp://h", "socks5://", "socks5://h:0"])
  func whatIsNoProxyIsRefused(_ text: String) throws {
    var transport = MQTTTransport()
    transport.proxy = text
    #expect(throws: MQTTAsyncError.self) { try MQTTURL("mqtt://broker").server(transport) }
  }
}
