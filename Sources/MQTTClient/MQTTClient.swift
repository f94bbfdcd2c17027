import MQTTCodec

/// An MQTT client, 5.0 and 3.1.1, as a state machine: it knows no socket and no clock.
///
/// Its owner opens and closes the transport as `transportRequest` says, moves bytes with
/// `withReceiveBuffer` and `withOutput`, pulls events with `nextEvent` until there are none, and calls
/// `advance(to:)` at `nextDeadline`. Times are milliseconds of any clock that never goes back.
///
/// All memory is allocated at init, for `subscribe` and a little for each connection; a connection that
/// stands allocates nothing. It is not for use by several threads at a time.
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
    /// The same, after a mistake of the server: its end has been told already.
    case parting
    /// For the owner to close the transport.
    case closing
  }

  /// Some servers that do not know 5.0 close on its `CONNECT` without a word, so then 3.1.1 is tried. It is not
  /// more than a guess: what follows that attempt, or that connection, is of 5.0 again.
  enum Guess {
    case none
    /// The next attempt is of 3.1.1.
    case next
    /// This one is.
    case current
  }

  /// `CONNECT` has a password in it.
  public var sendsPassword: Bool { options.password != nil }

  var state = State.idle
  /// What `state` waits for.
  var deadline: UInt64 = 0
  /// The owner wants to be connected: between `start` and `disconnect`.
  var isWanted = false
  /// The latest time we were told.
  var clock: UInt64 = 0
  var connectedAt: UInt64 = 0
  /// Messages that had come and gone when this connection began.
  var workBefore: UInt32 = 0
  /// How long to wait before the next attempt.
  var patience = Patience.normal
  var backoff: Backoff
  var keepAlive: KeepAlive
  var awaited = Awaited()
  /// The transport did not take all that there was.
  var isStuck = false
  /// Received bytes were left alone because there was no room for an answer.
  var waitsForRoom = false

  var received: ByteQueue
  var hasReceived = false
  var current = CurrentPacket()
  var skipping: SkippedPacket?
  var pendingEvent: MQTTEvent?

  /// Nil: messages leave as they were handed to `publish`.
  public var rewriter: (any MQTTRewriter)?

  var output: ByteQueue
  var outbox: Outbox
  var packetIDs: PacketIDs
  var receivedIDs = ReceivedIDs()
  var subscriptions = Subscriptions()
  /// What outlives the process; nil without a store.
  let stored: StoredSession?
  var window: Int
  let options: MQTTClientOptions
  let connectPacket: ConnectPacket
  let authenticator: (any MQTTAuthenticator)?
  var authentication = Authentication()
  var mistakes = Mistakes()
  /// The `CONNECT` of this connection asked for a clean start.
  var startedClean = false

  // Of 5.0
  /// Messages with a Message Expiry Interval have come into the outbox since the clock was last set.
  var hasNewExpiries = false
  var guess = Guess.none
  /// The server has not spoken 5.0 yet.
  var mayBeOld = true
  /// The server does not take everything that we could send.
  var isLimited = false
  /// Bytes of the longest packet that the server may send on this connection.
  var longestTaken = Int.max
  var receivedAliases: ReceivedAliases
  var sentAliases: SentAliases
  /// Where the properties of what the latest event tells of are.
  var eventProperties = 0..<0
  /// Subscriptions were refused before they were sent.
  var hasUnavailable = false

  /// The protocol of this connection, or of the next one.
  public internal(set) var protocolVersion: MQTTVersion
  /// What the server of this connection, or of the latest one, can do.
  public internal(set) var serverLimits = MQTTServerLimits()
  /// The client identifier that the server gave us because we had none. UTF-8; empty: none.
  public internal(set) var assignedClientIdentifier: [UInt8] = []
  /// The server wants us to go to another one. Who opens the transport looks here; nil once a server has
  /// accepted us.
  public internal(set) var redirection: MQTTRedirection?

  /// What happened since init.
  public internal(set) var counters = MQTTCounters()

  /// Room in the output that only acknowledgements, `PINGREQ` and `DISCONNECT` may take.
  static let reserve = 64
  /// Milliseconds for writing what is queued after `disconnect`.
  static let drainTimeout: UInt64 = 2_000
  /// Milliseconds for telling the server of its mistake.
  static let partingTimeout: UInt64 = 500

  /// With a store, messages of `MQTTDurability.disk` and the state of the session outlive the process: the
  /// messages that are there are sent, oldest first. Exactly once across processes needs a session that
  /// the server keeps (`cleanSession` false) under the same client identifier.
  public init(
    _ options: MQTTClientOptions, store: (any MQTTSessionStore)? = nil,
    authenticator: (any MQTTAuthenticator)? = nil
  ) throws(MQTTOptionsError) {
    connectPacket = try ConnectPacket(options)
    self.options = options
    self.authenticator = authenticator
    protocolVersion = options.version.isV5 ? .v5 : .v3_1_1
    window = options.maxInFlight
    receivedAliases = ReceivedAliases(maximum: options.topicAliasMaximum)
    sentAliases = SentAliases(maximum: options.sentTopicAliases)
    backoff = Backoff(
      minimum: options.backoffMinimum, maximum: options.backoffMaximum, seed: options.randomSeed)
    keepAlive = KeepAlive(seconds: options.keepAlive)
    received = ByteQueue(capacity: options.receiveCapacity)
    output = ByteQueue(
      capacity: max(options.sendCapacity, connectPacket.longest(options) + Self.reserve))
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
    receivedAliases.deallocate()
    sentAliases.deallocate()
  }

  /// The server accepted us and nothing has ended since.
  public var isConnected: Bool { state == .connected }

  var isV5: Bool { protocolVersion.isV5 }

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
    mistakes = Mistakes(before: mistakes.before || mistakes.now)
    keepAlive.started(now)
    state = .connecting
    if !writeConnect() { close(.connectionFailed(.authenticationFailed)) }
  }

  /// The transport could not be opened, failed, or was closed by either side. Bytes that were not
  /// pulled as events are gone. Schedules the next attempt.
  public func transportClosed(now: UInt64) {
    observe(now)
    rateConnection(isLost: true)
    switch state {
    case .idle, .waiting: return
    case .opening: pendingEvent = .connectionFailed(.transportClosed)
    case .connecting: closedWhileConnecting()
    case .connected:
      let isEarly = backoff.isEarlyAgain(clock - connectedAt)
      pendingEvent = .disconnected(isEarly ? .closedEarly : .transportClosed)
    case .draining: pendingEvent = .disconnected(.requested)
    case .parting, .closing: break
    }
    forgetBytes()
    guard isWanted else {
      state = .idle
      return
    }
    state = .waiting
    deadline = clock + backoff.wait(patience)
    patience = .normal
  }

  /// Closes cleanly: `DISCONNECT` after what is queued, so that the server does not publish the will,
  /// unless the reason is `.disconnectWithWillMessage`. Messages in the outbox stay there for a later
  /// `start`. Reason and properties are of 5.0; properties that do not fit or may not be there are left
  /// out.
  /// [MQTT-3.14.4-1], [MQTT-3.14.4-2]
  public func disconnect(
    now: UInt64, reason: MQTTReasonCode = .normalDisconnection, properties: Span<UInt8> = Span()
  ) {
    observe(now)
    isWanted = false
    switch state {
    case .idle, .draining, .parting, .closing: return
    case .waiting: state = .idle
    case .opening, .connecting: close(.connectionFailed(.requested))
    case .connected:
      finishCurrent()
      if !mayCarry(properties) || !sayGoodbye(reason, properties) { _ = sayGoodbye(reason, Span()) }
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
    case .parting:
      if now >= deadline { state = .closing }
    case .connected:
      // What is to be answered may not have left, or the answer may wait behind what we have no room to answer.
      if isStuck { awaited = Awaited() }
      noteAwaited()
      if let answer = awaited.deadline(options.acknowledgementTimeout), clock >= answer {
        return close(.disconnected(.acknowledgementTimeout))
      }
      switch keepAlive.verdict(now) {
      case .wait: return
      case .ping:
        ping()
        keepAlive.pinged(now)
      case .dead: close(.disconnected(.keepAliveTimeout))
      }
    }
  }

  /// The server is alive, though nothing is received: what it sends has to wait outside because nobody pulls
  /// events. Call it before `advance(to:)`.
  public func noteSignOfLife() {
    hasReceived = true
    // The answer may be among it.
    awaited = Awaited()
  }

  /// When the owner has something to do at the latest, `advance(to:)` and `nextEvent`; nil while it has not. Now, while
  /// there is an event to be pulled.
  public var nextDeadline: UInt64? { hasNews ? clock : nextTimer }

  /// The same for an owner who pulls no events for now.
  package var nextTimer: UInt64? {
    switch state {
    case .idle, .closing: nil
    case .connected:
      if let silence = keepAlive.deadline, let answer = awaited.deadline(options.acknowledgementTimeout) {
        min(silence, answer)
      } else {
        keepAlive.deadline ?? awaited.deadline(options.acknowledgementTimeout)
      }
    case .connecting, .waiting, .opening, .draining, .parting: deadline
    }
  }

  func observe(_ now: UInt64) {
    clock = max(clock, now)
    if MQTTVersion.hasV5, hasNewExpiries {
      // Not when they were published: the clock may have been late then, and their time would be cut short.
      hasNewExpiries = false
      outbox.startExpiries(now: UInt32(truncatingIfNeeded: (clock + 999) / 1000))
    }
    if hasReceived {
      hasReceived = false
      keepAlive.received(clock)
    }
  }

  private func open() {
    if MQTTVersion.hasV5 { endGuess() }
    state = .opening
    deadline = clock + options.connectTimeout
  }

  /// Ends the connection from our side; the event says why. A server of 5.0 that made a mistake is told of
  /// it, after what is on its way: then the event waits until that is written. [MQTT5-4.13.1-1]
  func close(_ event: MQTTEvent?, telling code: MQTTReasonCode? = nil) {
    rateConnection(isLost: false)
    forgetReceived()
    pendingEvent = event
    let wasConnected = state == .connected
    if wasConnected, isV5, let code { _ = sayGoodbye(code, Span()) }
    if wasConnected, code != nil, !output.isEmpty {
      state = .parting
      deadline = clock + Self.partingTimeout
    } else {
      output.removeAll()
      stored?.left(.max)
      state = .closing
    }
  }

  /// Queues `DISCONNECT`; false when there is no room for it. Of the reserve acknowledgements leave enough for
  /// one without properties.
  private func sayGoodbye(_ reason: MQTTReasonCode, _ properties: Span<UInt8>) -> Bool {
    output.compact()
    return output.write { span throws(EncodingError) in
      guard isV5 else { return try EmptyPacket.encode(.disconnect, into: &span) }
      return try Reason.encode(.disconnect, reason, properties: properties, into: &span)
    }
  }

  private func rateConnection(isLost: Bool) {
    guard state == .connected || state == .draining else { return }
    mistakes.before = false
    backoff.connectionLasted(clock - connectedAt, brokeOff: isLost && brokeOff)
  }

  /// The connection was lost in the middle of work that went well until then. One that another client with our client
  /// identifier ended looks otherwise: all was said, and nothing came since, for that one waited before it connected.
  private var brokeOff: Bool {
    counters.received &+ counters.settled != workBefore
      && (outbox.inFlight > 0 || keepAlive.hasReceived(within: options.backoffMinimum / 2, clock))
  }

  private func forgetBytes() {
    output.removeAll()
    stored?.left(.max)
    forgetReceived()
  }

  private func forgetReceived() {
    received.removeAll()
    hasReceived = false
    waitsForRoom = false
    isStuck = false
    current = CurrentPacket(serial: current.serial &+ 1)
    skipping = nil
  }

  /// Queues `PINGREQ` in the reserve. When even that is full, the server reads nothing: then `PINGREQ` is
  /// not what is missing, and the wait for a sign of life ends it.
  private func ping() {
    // Where the store failed there may be no other occasion.
    if let stored { refill(stored) }
    guard output.makeRoom(EmptyPacket.encodedLength) else { return }
    _ = output.write { span throws(EncodingError) in try EmptyPacket.encode(.pingreq, into: &span) }
  }
}
