// Who imports the client needs what its interface names.
@_exported import MQTTClient
@_exported import struct LinuxPlatform.TLSSettings
@_exported import struct MQTTConnection.MQTTServer
@_exported import struct MQTTConnection.MQTTURL
@_exported import struct MQTTConnection.MQTTURLFault
import Synchronization

/// An MQTT client, 5.0 and 3.1.1, for programs with `async` and `await`.
///
/// It has one thread, which keeps the connection: that is made again by itself, subscriptions with it, and
/// messages of QoS 1 and 2 wait for it. All calls may be made from any task, and cancelled. The client
/// disconnects when nobody holds it any more; `disconnect` does that and waits for it.
public final class MQTTAsyncClient: Sendable {
  private let mailbox: Mailbox
  private let board: ConnectionStates
  private let lastID = Atomic<UInt64>(0)
  private let hasOutbox: Bool
  /// Why the outbox's file could not be used, if so: it is at `PATH.damaged` now, and an empty one has taken its
  /// place.
  public let outboxDamage: String?

  /// Buffers for a machine that is no small device; a random client identifier.
  public static var defaultOptions: MQTTClientOptions {
    var options = MQTTClientOptions(
      clientID: "swiftlet-" + String(UInt64.random(in: 0...UInt64.max), radix: 36),
      randomSeed: UInt64.random(in: 0...UInt64.max))
    options.receiveCapacity = 1 << 20
    options.sendCapacity = 1 << 20
    options.outboxCapacity = 1 << 20
    options.receiveMaximum = 64
    options.dropPolicy = .newest
    return options
  }

  /// A client that does nothing before `connect`. Servers are tried in order; a later one is left for the first
  /// again when that answers, which is tried every `failback`.
  public init(
    servers: [MQTTServer], options: MQTTClientOptions = defaultOptions,
    authentication: MQTTAuthentication = .password, failback: Duration = .seconds(60),
    outbox: MQTTOutbox? = nil
  ) throws(MQTTAsyncError) {
    guard !servers.isEmpty else { throw .invalidURL("no server is given; write mqtt://HOST") }
    mailbox = try Mailbox()
    board = ConnectionStates()
    var options = options
    let authenticator = try authentication.authenticator(&options)
    let store = try outbox?.open()
    hasOutbox = store != nil
    outboxDamage = store?.setAside
    let engine = try Engine(
      options: options, authenticator: authenticator, store: store, servers: servers, mailbox: mailbox,
      states: board)
    try engine.run(failback: failback)
  }

  /// The same with URLs: mqtt, mqtts, ws, wss or unix. User name and password in the first that has some count,
  /// for all of them, when the options have none.
  public convenience init(
    _ urls: String..., options: MQTTClientOptions = defaultOptions,
    transport: MQTTTransport = MQTTTransport(), authentication: MQTTAuthentication = .password,
    outbox: MQTTOutbox? = nil
  ) throws(MQTTAsyncError) {
    try self.init(
      urls: urls, options: options, transport: transport, authentication: authentication, outbox: outbox)
  }

  /// The same.
  public convenience init(
    urls: [String], options: MQTTClientOptions = defaultOptions,
    transport: MQTTTransport = MQTTTransport(), authentication: MQTTAuthentication = .password,
    outbox: MQTTOutbox? = nil
  ) throws(MQTTAsyncError) {
    var options = options
    var servers: [MQTTServer] = []
    for text in urls {
      let url = try MQTTURL.read(text)
      servers.append(try url.server(transport))
      if options.username == nil {
        options.username = url.username
        if let password = url.password { options.password = Array(password.utf8) }
      }
    }
    try self.init(
      servers: servers, options: options, authentication: authentication, failback: transport.failback,
      outbox: outbox)
  }

  deinit {
    close()
  }

  /// A connected client. Throws when every server was tried once and `patience` is over, and at once when
  /// trying again is pointless: wrong password, say. Lost connections are made again later.
  public static func connect(
    _ urls: String..., options: MQTTClientOptions = defaultOptions,
    transport: MQTTTransport = MQTTTransport(), authentication: MQTTAuthentication = .password,
    outbox: MQTTOutbox? = nil, retryingFor patience: Duration = .zero
  ) async throws(MQTTAsyncError) -> MQTTAsyncClient {
    let client = try MQTTAsyncClient(
      urls: urls, options: options, transport: transport, authentication: authentication, outbox: outbox)
    try await client.connect(retryingFor: patience)
    return client
  }

  /// Connects, as the other `connect` says. After an error it can be called again.
  public func connect(retryingFor patience: Duration = .zero) async throws(MQTTAsyncError) {
    try await call { engine, id, waiter in engine.connect(id, retryingFor: patience, waiter) }
  }

  /// Wants to be connected from now on and waits for nothing; `states` tells what becomes of it.
  public func start() {
    submit { $0.start() }
  }

  /// Publishes what is on its way, says goodbye and ends the thread. Messages without an answer of the
  /// server are lost, unless the outbox has them, and their calls throw `.closed`. The client cannot be used again. 5.0: with
  /// `.disconnectWithWillMessage` the server publishes the will.
  public func disconnect(reason: MQTTReasonCode = .normalDisconnection) async {
    // In a task that is cancelled, too: that is where programs clean up. Fails when it was closed before.
    await withCheckedContinuation { continuation in
      call(nextID(), { $0.disconnect($1, reason: reason, $2) }, { _ in continuation.resume() })
    }
  }

  /// The state now, and all that follow.
  public var states: AsyncStream<MQTTConnectionState> { board.stream() }
  public var state: MQTTConnectionState { board.current }
  package var hasBeenConnected: Bool { board.hasBeenConnected }

  /// Publishes a message. QoS 0: returns when it is on its way, throws `.notConnected` without a connection.
  /// QoS 1 and 2: returns when the server has it, over as many connections as that takes; with `durability`
  /// `.disk`, or where the options' rules say so, as soon as the outbox's file keeps it through the loss of power.
  /// While too many messages wait for the server, the call waits with them, in order.
  public func publish(
    _ topic: String, _ payload: [UInt8], qos: MQTTQoS = .atMostOnce, retain: Bool = false,
    properties: MQTTMessageProperties = MQTTMessageProperties(), durability: MQTTDurability? = nil
  ) async throws(MQTTAsyncError) {
    if let durability, durability != .memory, !hasOutbox {
      throw .outbox(
        "is missing: a client that keeps messages on disk is made with 'outbox: MQTTOutbox(path: …)'")
    }
    let topic = Array(topic.utf8)
    let properties = try properties.encoded()
    try await call { engine, id, waiter in
      engine.publish(
        Outgoing(
          call: id, topic: topic, payload: payload, qos: qos, retain: retain, properties: properties,
          durability: durability), waiter)
    }
  }

  /// The same with text.
  public func publish(
    _ topic: String, _ text: String, qos: MQTTQoS = .atMostOnce, retain: Bool = false,
    properties: MQTTMessageProperties = MQTTMessageProperties(), durability: MQTTDurability? = nil
  ) async throws(MQTTAsyncError) {
    try await publish(
      topic, Array(text.utf8), qos: qos, retain: retain, properties: properties, durability: durability)
  }

  /// Returns when the server has all messages of QoS 1 and 2, those that earlier programs left in the outbox too.
  /// Throws when there is no connection, and `.publishFailed` when one of those that no call waits for did not
  /// reach the server; it can be called again.
  public func flush() async throws(MQTTAsyncError) {
    try await call { engine, id, waiter in engine.beginFlush(id, waiter) }
  }

  /// How many messages of QoS 1 and 2 the server may not have.
  public var unsettled: Int {
    get async {
      await withCheckedContinuation { continuation in
        if !submit({ continuation.resume(returning: $0.client.unsettled) }) {
          continuation.resume(returning: 0)
        }
      }
    }
  }

  /// Subscribes and returns the messages as soon as the server has granted that. `buffer` messages wait for
  /// whoever takes them; `overflow` says what becomes of more.
  public func messages(
    _ filters: String..., qos: MQTTQoS = .atMostOnce, buffer: Int = 64, overflow: MQTTOverflow = .wait
  ) async throws(MQTTAsyncError) -> MQTTMessages {
    let messages = try subscribe(
      filters, options: MQTTSubscribeOptions(qos: qos), buffer: buffer, overflow: overflow)
    try await messages.subscribed()
    return messages
  }

  /// Subscribes on this connection and on each that follows, and waits for nothing. Before `connect`, so
  /// that no message of a kept session is missed. Without `unsubscribesAtEnd` the server keeps the
  /// subscription when the stream ends, as long as it keeps the session. The options are of 5.0 but for the QoS.
  /// `identifier`: one of your own, which messages carry then; a server without identifiers refuses it.
  public func subscribe(
    _ filters: [String], options: MQTTSubscribeOptions,
    userProperties: [MQTTMessageProperties.UserProperty] = [], identifier: UInt32? = nil,
    buffer: Int = 64, overflow: MQTTOverflow = .wait, unsubscribesAtEnd: Bool = true
  ) throws(MQTTAsyncError) -> MQTTMessages {
    var properties = MQTTMessageProperties()
    properties.userProperties = userProperties
    let wish = Wish(
      filters: filters, options: options, userProperties: try properties.encoded(), identifier: identifier,
      isKept: !unsubscribesAtEnd)
    return open(wish, MessageBuffer(capacity: buffer, overflow: overflow, name: filters.first ?? ""))
  }

  /// Has the server forget filters that a session of before has, in one `UNSUBSCRIBE`, and returns when it has. What a
  /// stream of this client is for stays.
  public func unsubscribe(
    _ filters: [String], userProperties: [MQTTMessageProperties.UserProperty] = []
  ) async throws(MQTTAsyncError) {
    var properties = MQTTMessageProperties()
    properties.userProperties = userProperties
    let encoded = try properties.encoded()
    try await call { engine, call, waiter in engine.forget(call, filters, encoded, waiter) }
  }

  /// Messages that no subscription of this client is for: those of a session that the server kept.
  public func unclaimedMessages(buffer: Int = 64, overflow: MQTTOverflow = .wait) -> MQTTMessages {
    open(
      Wish(filters: [], options: MQTTSubscribeOptions(qos: .atMostOnce), userProperties: []),
      MessageBuffer(capacity: buffer, overflow: overflow, name: "unclaimed"))
  }

  private func open(_ wish: Wish, _ buffer: MessageBuffer) -> MQTTMessages {
    let id = nextID()
    if !submit({ $0.open(id, buffer, wish) }) { buffer.finish(.closed) }
    return MQTTMessages(self, id, buffer)
  }

  // MARK: The loop's thread

  private func nextID() -> UInt64 {
    lastID.add(1, ordering: .relaxed).newValue
  }

  @discardableResult
  func submit(_ work: @escaping Mailbox.Work) -> Bool {
    mailbox.submit(work)
  }

  /// Has the loop look again.
  func wake() {
    submit { _ in }
  }

  /// Has the loop do something and waits for its end, or for the task's cancellation.
  func call(
    _ work: @escaping @Sendable (Engine, UInt64, @escaping Engine.Waiter) -> Void
  ) async throws(MQTTAsyncError) {
    let id = nextID()
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation {
        (continuation: CheckedContinuation<Result<Void, MQTTAsyncError>, Never>) in
        if Task.isCancelled { return continuation.resume(returning: .failure(.cancelled)) }
        call(id, work) { continuation.resume(returning: $0) }
        // A cancellation in between was submitted before the work.
        if Task.isCancelled { submit { $0.cancel(id) } }
      }
    } onCancel: {
      submit { $0.cancel(id) }
    }
    try result.get()
  }

  private func call(
    _ id: UInt64, _ work: @escaping @Sendable (Engine, UInt64, @escaping Engine.Waiter) -> Void,
    _ done: @escaping Engine.Waiter
  ) {
    if !submit({ work($0, id, done) }) { done(.failure(.closed)) }
  }
}

// For facades with callbacks, which come on the loop's thread.
extension MQTTAsyncClient {
  /// Messages are published in the order of the calls.
  package func publish(
    _ topic: String, _ payload: [UInt8], qos: MQTTQoS, retain: Bool,
    done: @escaping @Sendable (Result<Void, MQTTAsyncError>) -> Void
  ) {
    let topic = Array(topic.utf8)
    call(
      nextID(),
      { engine, id, waiter in
        engine.publish(
          Outgoing(call: id, topic: topic, payload: payload, qos: qos, retain: retain, properties: []), waiter
        )
      }, done)
  }

  /// Disconnects and waits for nothing.
  package func close() {
    submit { $0.disconnect(0, reason: .normalDisconnection, nil) }
  }
}
