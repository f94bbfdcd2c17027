import Configuration
import LinuxPlatform
import MQTTConnection

extension BrokerDescription {
  /// The servers in order, as the connection wants them.
  var mqttServers: [MQTTServer] {
    servers.map { server in
      var webSocket: WebSocketSettings?
      if server.scheme.isWebSocket {
        webSocket = WebSocketSettings()
        webSocket?.path = server.path
        webSocket?.headers = headers
      }
      return MQTTServer(
        endpoint: Endpoint(host: server.host, port: server.port),
        tls: server.scheme.isSecure ? tls : nil, webSocket: webSocket,
        proxy: server.scheme == .unix ? nil : proxy)
    }
  }
}
