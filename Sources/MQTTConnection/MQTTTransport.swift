import HAL
import LinuxPlatform

/// A way to reach servers, beside plain TCP and local sockets, which are always there. A program names those it wants;
/// what it does not name is not in it.
public struct MQTTTransport: Sendable {
  enum Kind: Sendable {
    /// `mqtts://`
    case tls
    /// `ws://`; with TLS, `wss://`
    case webSocket
  }

  let kind: Kind
  let make: @Sendable (MQTTServer, [MQTTTransport], EventLoop, any NetworkStreamOwner) -> any NetworkStream
  /// What keeps files that it needs from being used.
  var fileTroubles: @Sendable (TLSSettings) -> [TLSFileTrouble] = { _ in [] }

  /// TLS by OpenSSL, which is loaded when it is needed.
  public static var tls: MQTTTransport {
    MQTTTransport(
      kind: .tls,
      make: { server, _, loop, owner in
        TLSStream(server.endpoint, server.tls ?? TLSSettings(), proxy: server.proxy, loop: loop, owner: owner)
      },
      fileTroubles: { $0.fileTroubles })
  }

  /// WebSockets by libwslay, which is loaded when it is needed.
  public static var webSocket: MQTTTransport {
    MQTTTransport(
      kind: .webSocket,
      make: { server, transports, loop, owner in
        WebSocketStream(
          server.endpoint, server.webSocket ?? WebSocketSettings(), isSecure: server.tls != nil, owner: owner
        ) {
          var below = server
          below.webSocket = nil
          // CONNECT waits for the server's answer; the request's own lines may be secret, too.
          let isSecret = server.webSocket.map { !$0.headers.isEmpty || $0.path.utf8.contains(0x3F) }
          below.plain = PlainServer(secured: "wss://", isToldSecrets: isSecret ?? false, isAsked: true)
          // RFC 6455 asks for HTTP/1.1; a server that knows no "mqtt" there would refuse it.
          below.tls?.alpn = "http/1.1"
          return below.makeStream(transports, loop: loop, owner: $0)
        }
      })
  }

  public static var all: [MQTTTransport] { [.tls, .webSocket] }
}

extension [MQTTTransport] {
  /// Whether servers of this kind can be reached.
  public func serve(tls: Bool, webSocket: Bool) -> Bool {
    (!tls || contains { $0.kind == .tls }) && (!webSocket || contains { $0.kind == .webSocket })
  }

  /// What keeps the files of TLS from being used.
  public func fileTroubles(_ tls: TLSSettings) -> [TLSFileTrouble] {
    for transport in self where transport.kind == .tls { return transport.fileTroubles(tls) }
    return []
  }
}
