import MQTTClient

/// Moves bytes between a client and a `LoopbackServer`, as the owner of a socket would, without time passing.
public final class LoopbackLink {
  public let client: MQTTClient
  public let server: LoopbackServer
  public private(set) var isOpen = false
  /// The server cannot be reached.
  public var isDown = false

  public init(client: MQTTClient, server: LoopbackServer) {
    self.client = client
    self.server = server
  }

  /// Does what the client asks for and moves bytes both ways. True: something changed.
  public func service(now: UInt64) -> Bool {
    switch client.transportRequest {
    case .open where !isOpen:
      open(now)
      return true
    case .close:
      close(now)
      return true
    case .open, .none: return isOpen && move(now)
    }
  }

  /// The connection is lost, and the bytes on their way with it.
  public func cut(now: UInt64) {
    if isOpen { close(now) }
  }

  private func open(_ now: UInt64) {
    guard !isDown else { return client.transportClosed(now: now) }
    isOpen = true
    server.transportOpened()
    client.transportOpened(now: now)
  }

  private func close(_ now: UInt64) {
    isOpen = false
    server.transportClosed()
    client.transportClosed(now: now)
  }

  private func move(_ now: UInt64) -> Bool {
    var hasMoved = false
    while client.hasOutput {
      client.withOutput { bytes in
        server.receive(bytes.indices.map { bytes[$0] })
        return bytes.count
      }
      hasMoved = true
    }
    if !server.output.isEmpty {
      let bytes = server.output
      let taken = client.receive(bytes.span, now: now)
      server.output.removeFirst(taken)
      hasMoved = hasMoved || taken > 0
    }
    // What came has to be seen before the end of the connection is.
    if !hasMoved, server.wantsClose, server.output.isEmpty, client.transportRequest == .none {
      close(now)
      return true
    }
    return hasMoved
  }
}
