import LinuxPlatform
import MQTTConnection

extension MQTTURL {
  /// The server it names, spoken to as the transport says.
  public func server(_ transport: MQTTTransport = MQTTTransport()) throws(MQTTAsyncError) -> MQTTServer {
    try transport.check()
    var server = MQTTServer(endpoint: Endpoint(host: host, port: port))
    if scheme.isSecure { server.tls = transport.tls }
    if scheme.isWebSocket {
      var settings = WebSocketSettings()
      settings.path = path
      settings.headers = transport.headers
      server.webSocket = settings
    }
    if let proxy = transport.proxy, scheme != .unix { server.proxy = try Self.proxy(proxy) }
    return server
  }

  private static func proxy(_ text: String) throws(MQTTAsyncError) -> ProxySettings {
    let url = try MQTTURL.read(text, .proxy)
    return ProxySettings(
      url.scheme == .socks5 ? .socks5 : .http, Endpoint(host: url.host, port: url.port),
      username: url.username, password: url.password)
  }

  /// The same as `init`, with the errors of this client.
  package static func read(_ text: String, _ kind: Kind = .server) throws(MQTTAsyncError) -> MQTTURL {
    do throws(MQTTURLFault) { return try MQTTURL(text, kind) } catch { throw .invalidURL("\(error)") }
  }
}
