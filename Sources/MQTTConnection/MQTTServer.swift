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
  /// For servers without TLS.
  var plain: PlainServer? = PlainServer(secured: "mqtts://")

  public init(
    endpoint: Endpoint, tls: TLSSettings? = nil, webSocket: WebSocketSettings? = nil,
    proxy: ProxySettings? = nil
  ) {
    self.endpoint = endpoint
    self.tls = tls
    self.webSocket = webSocket
    self.proxy = proxy
  }

  /// What is asked for in the clear goes in the clear; nothing else does, whatever transports there are.
  func makeStream(_ transports: [MQTTTransport], loop: EventLoop, owner: any NetworkStreamOwner)
    -> any NetworkStream
  {
    precondition(
      transports.serve(tls: tls != nil, webSocket: webSocket != nil), "no transport for this server")
    for transport in transports where transport.kind == .webSocket && webSocket != nil {
      return transport.make(self, transports, loop, owner)
    }
    for transport in transports where transport.kind == .tls && tls != nil {
      return transport.make(self, transports, loop, owner)
    }
    return TCPStream(endpoint, proxy: proxy, plain: plain, loop: loop, owner: owner)
  }
}
