import HAL
import LinuxPlatform
import MQTTClient

/// Who wants to know what becomes of a connection.
public protocol MQTTConnectionOwner: AnyObject {
  /// A connection could not be opened or is lost; the next attempt follows by itself.
  func connectionClosed(_ server: MQTTServer, reason: String)
  /// Something of the server's settings has no effect.
  func connectionWarns(_ server: MQTTServer, reason: String)
}

extension MQTTConnectionOwner {
  public func connectionWarns(_ server: MQTTServer, reason: String) {}
}

/// Moves bytes between a client's session and one of its servers, on an event loop.
///
/// Servers are tried in order, each once, when one cannot be reached or does not accept us. A later one is
/// left for the first again when its connection ends, or when the first answers a knock. A
/// server that sends us to another one is obeyed, for one connection, or for as long as the other one accepts
/// us when it is to be for good; TLS and WebSocket stay as they are.
public final class MQTTConnection: NetworkStreamOwner {
  private let client: MQTTClient
  private let servers: [MQTTServer]
  private let transports: [MQTTTransport]
  private let loop: EventLoop
  private let owner: any MQTTConnectionOwner
  private var streams: [any NetworkStream] = []
  private var knock: Knock?
  private var current = 0
  /// The server that another one sent us to, while it is tried or serves.
  private var redirected: Redirected?
  /// The latest attempt ended with a redirection that has not been followed.
  private var mayFollow = false
  /// Where we were sent latest, until somebody accepts us.
  private var followed: Redirected?
  /// What was spoken in the latest attempt.
  private var version = MQTTVersion.v5

  /// Where servers have sent us so far, as many as are kept.
  private var targets: [Redirected] = []
  private static let mostTargets = 8

  private struct Redirected {
    let server: MQTTServer
    let stream: any NetworkStream
    let redirection: MQTTRedirection
    /// The place of our server that sent us, and how it is spoken to.
    let origin: Int
  }

  private var state = State.closed

  private enum State {
    case closed
    case opening
    case open
    /// Lost or refused; the client hears of it in the next `service`.
    case lost
    /// Our end is closed, and what still comes is thrown away until the server closes its end, at most until then.
    case parting(any NetworkStream, until: Instant)
  }

  /// How long a server may take to close after us.
  private static let patience = Duration.milliseconds(500)

  /// At least one server, and `transports` for all of them. Allocates; afterwards only opening a connection does.
  public init(
    client: MQTTClient, servers: [MQTTServer], transports: [MQTTTransport] = MQTTTransport.all,
    loop: EventLoop, failback: Duration = .seconds(60), owner: any MQTTConnectionOwner
  ) {
    precondition(!servers.isEmpty, "a connection needs a server")
    self.client = client
    var servers = servers
    for index in servers.indices { servers[index].plain?.isToldSecrets = client.sendsPassword }
    self.servers = servers
    self.transports = transports
    self.loop = loop
    self.owner = owner
    for server in servers { streams.append(server.makeStream(transports, loop: loop, owner: self)) }
    if servers.count > 1 { knock = Knock(servers[0], transports, every: failback, loop: loop) }
  }

  deinit {
    for stream in streams { stream.close() }
    for target in targets { target.stream.close() }
  }

  /// The server that is connected, or tried next.
  public var server: MQTTServer { redirected?.server ?? servers[current] }

  private var stream: any NetworkStream { redirected?.stream ?? streams[current] }

  /// The owner pulls no events for now: nothing is read, so that the server has to wait.
  public var isHeldBack = false {
    didSet {
      guard isHeldBack != oldValue, case .open = state else { return }
      if isHeldBack { stream.pauseReading() } else { stream.resumeReading() }
    }
  }

  /// Does what the client asks for. True: something changed, and the client has to be looked at again.
  public func service() -> Bool {
    switch state {
    case .lost:
      end()
      return true
    case .closed where client.transportRequest == .open:
      state = .opening
      version = client.protocolVersion
      follow()
      stream.open()
      if case .opening = state { return false }
      return true
    case .open where client.transportRequest == .close:
      part()
      return true
    case .opening where client.transportRequest == .close:
      stream.close()
      end()
      return true
    case .open: return serviceOpen()
    case .parting(let stream, let deadline):
      if stream.isOpen && loop.now < deadline { return false }
      stream.close()
      state = .closed
      return client.transportRequest != .none
    case .closed where client.transportRequest == .close:
      // Begun and ended before anything was opened.
      client.transportClosed(now: now)
      return true
    case .closed, .opening:
      return false
    }
  }

  /// When `service` has something to do at the latest, beside the client's own deadline.
  public var deadline: Instant? {
    if case .parting(_, let deadline) = state { return deadline }
    return current > 0 ? knock?.deadline : nil
  }

  /// Our last words may still be on their way.
  public var isParting: Bool {
    if case .parting = state { return true }
    return false
  }

  private func serviceOpen() -> Bool {
    hasBeenAccepted = hasBeenAccepted || client.isConnected
    if current > 0, client.isConnected, knock?.service() == true {
      owner.connectionClosed(server, reason: "the first broker is back")
      _ = flush()
      let stream = self.stream
      // Where a later one sent us "for good" is a later one, too.
      redirected = nil
      part(stream)
      return true
    }
    if flush() { return true }
    // What a stream keeps in memory wakes nobody: it has to be fetched as soon as there is room.
    guard !isHeldBack, stream.hasInput else { return false }
    return take() > 0
  }

  private var hasBeenAccepted = false

  private func part() { part(stream) }

  /// Closes our end of a connection that is open. A socket that is closed while something in it is unread resets the
  /// connection, and the server loses what we said before: acknowledgements, and why we go.
  private func part(_ stream: any NetworkStream) {
    stream.finish()
    end()
    if stream.isOpen { state = .parting(stream, until: loop.now + MQTTConnection.patience) }
  }

  /// A connection or an attempt is over: who is next?
  private func end() {
    let (place, wasRedirected) = (current, redirected != nil)
    defer { if current != place || wasRedirected || mayFollow { client.serverChanges() } }
    state = .closed
    knock?.stop(servesAgain: hasBeenAccepted && current == 0)
    client.transportClosed(now: now)
    if hasBeenAccepted { followed = nil }
    if client.protocolVersion != version {
      // A server that speaks another version is asked again.
      mayFollow = false
    } else {
      mayFollow = isSentElsewhere
      if mayFollow || !hasBeenAccepted || redirected?.redirection.isPermanent != true {
        redirected = nil
        // Who sends us elsewhere is asked no more, and is spoken to there as here: it stays the current one.
        if !mayFollow { current = hasBeenAccepted ? 0 : (current + 1) % servers.count }
      }
    }
    hasBeenAccepted = false
  }

  /// The latest attempt ended with a redirection, which is not what another server said before it.
  private var isSentElsewhere: Bool {
    guard let redirection = client.redirection else { return false }
    if let redirected { return redirection != redirected.redirection }
    return followed?.origin == current || redirection != followed?.redirection
  }

  /// Goes where the latest server sent us, or to the next one where that cannot be.
  private func follow() {
    guard mayFollow, let redirection = client.redirection else { return }
    mayFollow = false
    var server = self.server
    guard let endpoint = Endpoint(reference: redirection.reference, defaultPort: server.endpoint.port) else {
      current = (current + 1) % servers.count
      return
    }
    server.endpoint = endpoint
    let known = targets.first { $0.origin == current && endpoint.isSame(as: $0.server.endpoint) }
    if known != nil || targets.count < MQTTConnection.mostTargets {
      let target = Redirected(
        server: server, stream: known?.stream ?? server.makeStream(transports, loop: loop, owner: self),
        redirection: redirection, origin: current)
      if known == nil { targets.append(target) }
      (redirected, followed) = (target, target)
    } else {
      owner.connectionClosed(server, reason: "not followed there: other brokers were named too often")
      current = (current + 1) % servers.count
    }
  }

  public func streamOpened() {
    state = .open
    if isHeldBack { stream.pauseReading() }
    client.transportOpened(now: now)
  }

  public func streamReadable() {
    _ = take()
  }

  private func take() -> Int {
    var isTaken = false
    let count = client.withReceiveBuffer { buffer in
      isTaken = true
      return stream.read(into: &buffer)
    }
    // The client takes nothing while its answers are not taken: until then the bytes wait in the kernel.
    if !isTaken && client.hasOutput { stream.pauseReading() }
    return count
  }

  public func streamWritable() {
    if !isHeldBack { stream.resumeReading() }
  }

  public func streamClosed(_ reason: String) {
    hasBeenAccepted = hasBeenAccepted || client.isConnected
    state = .lost
    owner.connectionClosed(server, reason: reason)
  }

  public func streamWarns(_ reason: String) { owner.connectionWarns(server, reason: reason) }

  private var now: UInt64 { UInt64(loop.now.milliseconds) }

  /// Writes what there is. True: the client has room for what waited for it, or something has ended.
  private func flush() -> Bool {
    var written = 0
    client.withOutput { bytes in
      written = stream.write(bytes)
      return written
    }
    // What was held back for the disk leaves without the socket's having been full.
    if written > 0 && !isHeldBack { stream.resumeReading() }
    if case .open = state { return written > 0 || client.transportRequest == .close }
    return true
  }
}
