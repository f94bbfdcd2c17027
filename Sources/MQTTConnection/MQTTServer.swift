import LinuxPlatform

/// Where a server is and how to speak to it.
public struct MQTTServer: Sendable {
  public var endpoint: Endpoint
  /// Nil: not encrypted.
  public var tls: TLSSettings?
  /// Nil: MQTT straight on the connection.
  public var webSocket: WebSocketSettings?
  /// Nil: straight to the endpoint.
  public var proxy: ProxySettings?

  public init(
    endpoint: Endpoint, tls: TLSSettings? = nil, webSocket: WebSocketSettings? = nil,
    proxy: ProxySettings? = nil
  ) {
    self.endpoint = endpoint
    self.tls = tls
    self.webSocket = webSocket
    self.proxy = proxy
  }

  func makeStream(loop: EventLoop, owner: any NetworkStreamOwner) -> any NetworkStream {
    if let webSocket {
      return WebSocketStream(endpoint, webSocket, tls: tls, proxy: proxy, loop: loop, owner: owner)
    }
    if let tls { return TLSStream(endpoint, tls, proxy: proxy, loop: loop, owner: owner) }
    return TCPStream(endpoint, proxy: proxy, loop: loop, owner: owner)
  }
}
