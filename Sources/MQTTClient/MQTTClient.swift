import MQTTCodec

/// An MQTT 3.1.1 client as a state machine: it knows no socket and no clock.
///
/// Its owner opens and closes the transport as `transportRequest` says, moves bytes with
/// `withReceiveBuffer` and `withOutput`, pulls events with `nextEvent` until there are none, and calls
/// `advance(to:)` at `nextDeadline`. Times are milliseconds of any clock that never goes back.
///
/// All memory is allocated at init (and for `subscribe`); afterwards nothing is. It is not for use by
/// several threads at a time.
public final class MQTTClient {
  enum State {
    /// Not started, or stopped.
    case idle
    /// For the next attempt, until `deadline`.
    case waiting
    /// For the transport, until `deadline`.
    case opening
    /// For `CONNACK`, until `deadline`.
    case connecting
    case connected
    /// For the output to be written, until `deadline`; then the connection is closed.
    case draining
    /// For the owner to close the transport.
    case closing
  }

  var state = State.idle
  /// What `state` waits for.
  var deadline: UInt64 = 0
  /// The owner wants to be connected: between `start` and `disconnect`.
  var isWanted = false
  /// The latest time we were told.
  var clock: UInt64 = 0
  var connectedAt: UInt64 = 0
  var wasRefused = false
  var backoff: Backoff
  var keepAlive: KeepAlive

  var received: ByteQueue
  var hasReceived = false
  var current = CurrentPacket()
  var skipping: SkippedPacket?
  var pendingEvent: MQTTEvent?

  var output: ByteQueue
  var outbox: Outbox
  var packetIDs: PacketIDs
  var receivedIDs = ReceivedIDs()
  var subscriptions = Subscriptions()
  /// What outlives the process; nil without a store.
  let stored: StoredSession?
  let window: Int
  let connectPacket: [UInt8]
  let connectTimeout: UInt64
  let keepsSession: Bool

  /// What happened since init.
  public internal(set) var counters = MQTTCounters()

  /// Room in the output that only acknowledgements, `PINGREQ` and `DISCONNECT` may take.
  static let reserve = 64
  /// Milliseconds for writing what is queued after `disconnect`.
  static let drainTimeout: UInt64 = 2_000

  /// With a store, messages of `MQTTDurability.disk` and the state of the session outlive the process: the
  /// messages that are there are sent, oldest first. Exactly once across processes needs a session that
  /// the server keeps (`cleanSession` false) under the same client identifier.
  public init(
    _ options: MQTTClientOptions, store: (any MQTTSessionStore)? = nil
  ) throws(MQTTOptionsError) {
    connectPacket = try ConnectPacket.encode(options)
    connectTimeout = options.connectTimeout
    keepsSession = !options.cleanSession
    window = options.maxInFlight
    backoff = Backoff(
      minimum: options.backoffMinimum, maximum: options.backoffMaximum, seed: options.randomSeed)
    keepAlive = KeepAlive(seconds: options.keepAlive)
    received = ByteQueue(capacity: options.receiveCapacity)
    output = ByteQueue(capacity: max(options.sendCapacity, connectPacket.count + Self.reserve))
    outbox = Outbox(capacity: options.outboxCapacity)
    packetIDs = PacketIDs(capacity: options.outboxCapacity / Outbox.size(of: 1) + 16)
    stored = store.map {
      StoredSession(
        $0, dropPolicy: options.dropPolicy, rules: options.durability, longest: options.outboxCapacity)
    }
    if let stored { restoreSession(stored) }
  }

  deinit {
    received.deallocate()
    output.deallocate()
    outbox.deallocate()
    packetIDs.deallocate()
    receivedIDs.deallocate()
  }

  /// The server accepted us and nothing has ended since.
  public var isConnected: Bool { state == .connected }

  /// What the owner of the socket has to do; look after every call. Constant cost.
  public var transportRequest: MQTTTransportRequest {
    switch state {
    case .opening: .open
    case .closing: .close
    default: .none
    }
  }

  /// Wants a connection from now on.
  public func start(now: UInt64) {
    observe(now)
    isWanted = true
    if state == .idle { open() }
  }

  /// The transport is open: queues `CONNECT`. [MQTT-3.1.0-1]
  public func transportOpened(now: UInt64) {
    observe(now)
    guard state == .opening else { return }
    forgetBytes()
    connectPacket.withUnsafeBytes { output.append($0) }
    keepAlive.started(now)
    state = .connecting
  }

  /// The transport could not be opened, failed, or was closed by either side. Bytes that were not
  /// pulled as events are gone. Schedules the next attempt.
  public func transportClosed(now: UInt64) {
    observe(now)
    switch state {
    case .idle, .waiting: return
    case .opening, .connecting: pendingEvent = .connectionFailed(.transportClosed)
    case .connected: pendingEvent = .disconnected(.transportClosed)
    case .draining: pendingEvent = .disconnected(.requested)
    case .closing: break
    }
    rateConnection()
    forgetBytes()
    guard isWanted else {
      state = .idle
      return
    }
    let wait = wasRefused ? backoff.afterRefusal() : backoff.afterFailure()
    wasRefused = false
    state = .waiting
    deadline = clock + wait
  }

  /// Closes cleanly: `DISCONNECT` after what is queued, so that the server does not publish the will.
  /// Messages in the outbox stay there for a later `start`. [MQTT-3.14.4-1], [MQTT-3.14.4-2]
  public func disconnect(now: UInt64) {
    observe(now)
    isWanted = false
    switch state {
    case .idle, .draining, .closing: return
    case .waiting: state = .idle
    case .opening, .connecting: close(.connectionFailed(.requested))
    case .connected:
      finishCurrent()
      queue(.disconnect)
      state = .draining
      deadline = clock + Self.drainTimeout
    }
  }

  /// Lets time pass: retries, timeouts, `PINGREQ`. Call it at `nextDeadline`, after reading what the
  /// socket has. Constant cost.
  public func advance(to now: UInt64) {
    observe(now)
    switch state {
    case .idle, .closing: return
    case .waiting:
      if now >= deadline { open() }
    case .opening, .connecting:
      if now >= deadline { close(.connectionFailed(.connectTimeout)) }
    case .draining:
      if now >= deadline { close(.disconnected(.requested)) }
    case .connected:
      switch keepAlive.verdict(now) {
      case .wait: return
      case .ping:
        queue(.pingreq)
        keepAlive.pinged(now)
      case .dead: close(.disconnected(.keepAliveTimeout))
      }
    }
  }

  /// When `advance(to:)` has something to do at the latest; nil while it has not.
  public var nextDeadline: UInt64? {
    switch state {
    case .idle, .closing: nil
    case .waiting, .opening, .connecting, .draining: deadline
    case .connected: keepAlive.deadline
    }
  }

  func observe(_ now: UInt64) {
    clock = max(clock, now)
    if hasReceived {
      hasReceived = false
      keepAlive.received(clock)
    }
  }

  private func open() {
    state = .opening
    deadline = clock + connectTimeout
  }

  /// Ends the connection from our side; the event says why.
  func close(_ event: MQTTEvent) {
    rateConnection()
    forgetBytes()
    pendingEvent = event
    state = .closing
  }

  private func rateConnection() {
    if state == .connected || state == .draining { backoff.connectionLasted(clock - connectedAt) }
  }

  private func forgetBytes() {
    received.removeAll()
    output.removeAll()
    stored?.left(.max)
    hasReceived = false
    current = CurrentPacket(serial: current.serial &+ 1)
    skipping = nil
  }

  /// Queues a packet without a body in the reserve. When even that is full, the server reads nothing:
  /// then `PINGREQ` is not what is missing, and the wait for a sign of life ends it.
  private func queue(_ type: PacketType) {
    guard output.makeRoom(EmptyPacket.encodedLength) else { return }
    _ = output.write { span throws(EncodingError) in try EmptyPacket.encode(type, into: &span) }
  }
}
