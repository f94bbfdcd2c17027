import CLinux
import HAL
import LinuxPlatform
import MQTTClient
import MQTTConnection
import Persistence

/// What runs on the loop's thread and nowhere else: the session, its connection, and who waits for what.
final class Engine: LoopClient, FileObserver, MQTTConnectionOwner {
  typealias Waiter = @Sendable (Result<Void, MQTTAsyncError>) -> Void

  let mailbox: Mailbox
  let states: ConnectionStates
  let client: MQTTClient
  let loop: EventLoop
  let store: SQLiteSessionStore?
  private let servers: [MQTTServer]
  private var connection: MQTTConnection?

  /// Everybody who waits, by the number of the call.
  var waiters: [UInt64: Waiter] = [:]
  var connecting: Connecting?
  /// Those who wait for the end.
  private var parting: [UInt64] = []
  /// Messages that wait for room, and calls that wait for the server's word on a message.
  var unsent = Fifo<Outgoing>()
  var inFlight: [UInt16: UInt64] = [:]
  var unsaved = Unsaved()
  var flushing = Flushing()
  var filters: [Int: FilterEntry] = [:]
  var streams: [UInt64: Stream] = [:]
  var lastIdentifier: UInt32 = 0
  /// Filters that the server is to forget, by their places, and the call that waits for it.
  var forgetting: [Int: (name: String, call: UInt64)] = [:]
  /// A message for whose streams there is no room yet.
  var held: (message: Delivered, targets: [UInt64])?
  var heldSince: Instant = .zero
  /// Messages that are with their streams.
  var deliveries = Deliveries()
  private var isStopping = false
  /// There was a connection, or `start` was called: connections are made from now on, whatever becomes of a call.
  private var isWanted = false
  private var isWoken = false
  private var lastReason: String?

  /// Who waits for the first connection.
  struct Connecting {
    var calls: [UInt64]
    /// Until then a failed attempt is followed by another one.
    var until: Instant
    var attempts = 0
  }

  init(
    options: MQTTClientOptions, authenticator: (any MQTTAuthenticator)?, store: SQLiteSessionStore?,
    servers: [MQTTServer], mailbox: Mailbox, states: ConnectionStates
  ) throws(MQTTAsyncError) {
    self.mailbox = mailbox
    self.states = states
    self.servers = servers
    self.store = store
    do {
      client = try MQTTClient(options, store: store, authenticator: authenticator)
    } catch {
      throw .invalidOptions(error)
    }
    do {
      loop = try EventLoop()
      _ = try loop.watch(mailbox.file, for: .readable, observer: self)
    } catch {
      throw .system(error.message)
    }
  }

  /// Enough for the resolver's modules and TLS.
  private static let stackSize = 512 * 1024

  /// Starts the thread, which owns the engine from now on.
  func run(failback: Duration) throws(MQTTAsyncError) {
    connection = MQTTConnection(
      client: client, servers: servers, loop: loop, failback: failback, owner: self)
    let context = Unmanaged.passRetained(self)
    let result = linux_thread_start(
      { context in
        if let context { Unmanaged<Engine>.fromOpaque(context).takeRetainedValue().serve() }
        return nil
      }, context.toOpaque(), Self.stackSize)
    guard result >= 0 else {
      context.release()
      throw .system(SystemError(number: -result).message)
    }
  }

  private func serve() {
    do {
      try loop.run(self)
      end(.closed)
    } catch {
      end(.system(error.message))
    }
  }

  /// Nobody waits in vain.
  private func end(_ error: MQTTAsyncError) {
    isStopping = true
    for work in mailbox.close() { work(self) }
    closeOutbox()
    for stream in streams.values { stream.buffer.finish(error == .closed ? nil : error) }
    states.tell(.closed)
    for (call, waiter) in waiters {
      waiter(parting.contains(call) ? .success(()) : .failure(error))
    }
    waiters.removeAll()
    streams.removeAll()
    connection = nil
    loop.close()
  }

  // MARK: Turns of the loop

  var isFinished: Bool {
    isStopping && client.transportRequest == .none && client.nextDeadline == nil
      && connection?.isParting != true
  }

  func fileReady(_ readiness: Readiness) {
    mailbox.hear()
  }

  func turn(now: Instant) -> Instant? {
    for work in mailbox.take() { work(self) }
    // A server that has to wait for us is not dead.
    if held != nil { client.noteSignOfLife() }
    client.advance(to: milliseconds)
    giveUpBlocked(now)
    giveUpConnecting(now)
    repeat {
      pullEvents()
      sendWaiting()
      deliveries.acknowledge { client.acknowledge($0) }
      // Before the connection commits what it is to send, and without one.
      save()
      flush()
    } while connection?.service() == true || isWoken
    return nextDeadline
  }

  var milliseconds: UInt64 { UInt64(loop.now.milliseconds) }

  private var nextDeadline: Instant? {
    let deadlines = [
      // What is held back holds back events, too.
      (held == nil ? client.nextDeadline : client.nextTimer).map {
        Instant(nanoseconds: Int64(clamping: $0) * 1_000_000)
      },
      connection?.deadline, connectingUntil, blockedUntil,
    ]
    return deadlines.compactMap { $0 }.min()
  }

  private func pullEvents() {
    isWoken = false
    if let held {
      guard deliver(held.message, to: held.targets) else { return }
    }
    while held == nil, let event = client.nextEvent(now: milliseconds) { handle(event) }
    connection?.isHeldBack = held != nil
  }

  // MARK: Calls

  func settle(_ call: UInt64, _ result: Result<Void, MQTTAsyncError>) {
    waiters.removeValue(forKey: call)?(result)
  }

  /// The task of a call was cancelled.
  func cancel(_ call: UInt64) {
    guard waiters[call] != nil else { return }
    unsent.remove { $0.call == call }
    if let packetID = inFlight.first(where: { $0.value == call })?.key { inFlight[packetID] = nil }
    for id in streams.keys { streams[id]?.waiters.removeAll { $0 == call } }
    flushing.calls.removeAll { $0 == call }
    if connecting?.calls.contains(call) == true { connectingCancelled(call) }
    settle(call, .failure(.cancelled))
  }

  func connect(_ call: UInt64, retryingFor patience: Duration, _ waiter: Waiter?) {
    waiters[call] = waiter
    // A goodbye that is under way stands: it would never come to its end.
    guard !isStopping else { return settle(call, .failure(.closed)) }
    if client.isConnected { return settle(call, .success(())) }
    if connecting == nil { connecting = Connecting(calls: [], until: loop.now + patience) }
    connecting?.calls.append(call)
    let until = max(connecting?.until ?? .zero, loop.now + patience)
    connecting?.until = until
    states.tell(.connecting)
    client.start(now: milliseconds)
  }

  private func connectingCancelled(_ call: UInt64) {
    connecting?.calls.removeAll { $0 == call }
    if connecting?.calls.isEmpty == true {
      connecting = nil
      if !isWanted { client.disconnect(now: milliseconds) }
    }
  }

  /// Wants connections and waits for none.
  func start() {
    guard !isStopping else { return }
    isWanted = true
    states.tell(.connecting)
    client.start(now: milliseconds)
  }

  func disconnect(_ call: UInt64, reason: MQTTReasonCode, _ waiter: Waiter?) {
    if let waiter {
      waiters[call] = waiter
      parting.append(call)
    }
    isStopping = true
    held = nil
    unsent.remove {
      settle($0.call, .failure(.closed)); return true
    }
    deliveries.acknowledge { client.acknowledge($0) }
    client.disconnect(now: milliseconds, reason: reason)
  }

  // MARK: Connections

  func connectionClosed(_ server: MQTTServer, reason: String) {
    let endpoint = server.endpoint
    let isLocal = endpoint.host.hasPrefix("/")
    // The platform speaks as a device does, whose authority has another name.
    let words =
      reason
      .replacing("with 'ca'", with: "with caFile or caDirectory")
      .replacing("this device's clock", with: "this machine's clock")
    lastReason = "\(isLocal ? endpoint.host : "\(endpoint.host):\(endpoint.port)"): \(words)"
  }

  func connected(sessionPresent: Bool) {
    lastReason = nil
    isWanted = true
    deliveries.begin(sessionPresent: sessionPresent)
    states.tell(.connected(client.protocolVersion, sessionPresent: sessionPresent))
    let calls = connecting?.calls ?? []
    connecting = nil
    for call in calls { settle(call, .success(())) }
  }

  /// An attempt has failed or the connection is lost.
  func disconnected(_ error: MQTTAsyncError, isLasting: Bool = false) {
    if !isStopping { states.tell(.disconnected(error)) }
    guard var attempt = connecting else { return }
    attempt.attempts += 1
    connecting = attempt
    guard attempt.attempts >= servers.count, isLasting || loop.now >= attempt.until else { return }
    failConnecting(error)
  }

  /// All servers have been tried: until when it may go on.
  private var connectingUntil: Instant? {
    guard let connecting, connecting.attempts >= servers.count else { return nil }
    return connecting.until
  }

  private func giveUpConnecting(_ now: Instant) {
    guard let connectingUntil, now >= connectingUntil, case .disconnected(let error) = states.current
    else { return }
    failConnecting(error)
  }

  private func failConnecting(_ error: MQTTAsyncError) {
    let calls = connecting?.calls ?? []
    connecting = nil
    if !isWanted {
      client.disconnect(now: milliseconds)
      isWoken = true
      if !isStopping { states.tell(.idle) }
    }
    for call in calls { settle(call, .failure(error)) }
  }

  /// Why a connection is lost, in the transport's words where these say more.
  func failure(_ reason: MQTTDisconnectReason, isAttempt: Bool) -> MQTTAsyncError {
    guard reason == .transportClosed, let lastReason else { return .connectionLost(reason, words) }
    guard isAttempt else { return .connectionLost(reason, lastReason) }
    // That is how some servers take a CONNECT of 5.0.
    let isOld = client.protocolVersion == .v5 && lastReason.hasSuffix("closed by the broker")
    return .unreachable(lastReason + (isOld ? " (if it does not speak MQTT 5.0: try 3.1.1)" : ""))
  }

  /// What the server said on the latest event.
  var words: String? {
    var words: String?
    client.withReasonString { words = $0.text }
    return words
  }
}
