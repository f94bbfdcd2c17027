import MQTTAsync

extension mqtt {
  /// What `createClient` returns. Callbacks come one at a time, on a thread of Swift's own. The connection
  /// is made again by itself. The client lives until `close`, or until nobody holds it.
  public final class MQTTClient: Sendable {
    /// Events without arguments.
    public enum Event: Sendable {
      /// The server accepted us for the first time.
      case connect
      /// The connection is lost, or was closed.
      case disconnect
      /// The server accepted us again.
      case reconnect
      /// The client is closed for good.
      case close
    }

    public enum MessageEvent: Sendable { case message }
    public enum ErrorEvent: Sendable { case error }

    private struct State {
      var subscriptions: [String: MQTTMessages] = [:]
      var isClosed = false
    }

    private let client: MQTTAsyncClient
    private let listeners = Listeners()
    private let state = Locked(State())
    /// Callbacks of calls, in the order of the answers.
    private let answers: AsyncStream<@Sendable () -> Void>.Continuation

    init(_ options: Options) throws(MQTTAsyncError) {
      client = try options.makeClient()
      let (stream, answers) = AsyncStream.makeStream(of: (@Sendable () -> Void).self)
      self.answers = answers
      let listeners = listeners
      let states = client.states
      let rest = client.unclaimedMessages()
      Task { for await answer in stream { await listeners.run(answer) } }
      Task { await listeners.watch(states, options) }
      Task { await listeners.take(rest) }
      client.start()
    }

    deinit {
      answers.finish()
      client.close()
    }

    // MARK: Events

    public func on(_ event: Event, _ body: @escaping @Sendable () -> Void) {
      listeners.change { $0.events[event, default: []].append(body) }
    }

    /// Topic and payload: all bytes of it, whatever they are.
    public func on(
      _ event: MessageEvent, _ body: @escaping @Sendable (_ topic: String, _ message: [UInt8]) -> Void
    ) {
      listeners.change { $0.message.append(body) }
    }

    /// An attempt to connect failed, or a call did.
    public func on(_ event: ErrorEvent, _ body: @escaping @Sendable (_ reason: String) -> Void) {
      listeners.change { $0.error.append(body) }
    }

    // MARK: Calls

    /// Subscribes, again after every reconnection. 0: taken, and `success` or `fail` follows. Else -1, and
    /// `fail` and the event `error` say why.
    @discardableResult
    public func subscribe(
      topic: String, qos: Int = 0, success: (@Sendable () -> Void)? = nil,
      fail: (@Sendable (_ reason: String) -> Void)? = nil
    ) -> Int {
      guard let level = UInt8(exactly: qos).flatMap(MQTTQoS.init(rawValue:)) else {
        return refuse("qos \(qos) is none of 0, 1 and 2", fail)
      }
      guard !isClosed else { return refuse("\(MQTTAsyncError.closed)", fail) }
      let messages: MQTTMessages
      do {
        let filter = Array(topic.utf8)
        try TopicFilter.check(filter.span)
        messages = try client.subscribe([topic], options: MQTTSubscribeOptions(qos: level))
      } catch {
        return refuse("'\(topic)' is no topic to subscribe to: \(error)", fail)
      }
      state.withLock { $0.subscriptions.updateValue(messages, forKey: topic) }?.unsubscribe()
      let listeners = listeners
      let answers = answers
      Task { await listeners.take(messages) }
      Task {
        do throws(MQTTAsyncError) {
          try await messages.subscribed()
          if let success { answers.yield(success) }
        } catch {
          Self.answer(error, fail, answers, listeners)
        }
      }
      return 0
    }

    /// 0: taken; else -1: there is no such subscription.
    @discardableResult
    public func unsubscribe(topic: String) -> Int {
      guard let messages = state.withLock({ $0.subscriptions.removeValue(forKey: topic) }) else {
        return refuse("'\(topic)' is not subscribed", nil)
      }
      messages.unsubscribe()
      return 0
    }

    /// Publishes bytes, none as well. 0: taken, and `success` or `fail` follows. Else -1, and `fail` and the
    /// event `error` say why.
    @discardableResult
    public func publish(
      topic: String, message: [UInt8], qos: Int = 0, retain: Bool = false,
      success: (@Sendable () -> Void)? = nil, fail: (@Sendable (_ reason: String) -> Void)? = nil
    ) -> Int {
      guard let level = UInt8(exactly: qos).flatMap(MQTTQoS.init(rawValue:)) else {
        return refuse("qos \(qos) is none of 0, 1 and 2", fail)
      }
      guard !isClosed else { return refuse("\(MQTTAsyncError.closed)", fail) }
      guard level != .atMostOnce || client.state.isConnected else {
        return refuse("\(MQTTAsyncError.notConnected)", fail)
      }
      do {
        let name = Array(topic.utf8)
        try TopicName.check(name.span)
      } catch {
        return refuse("'\(topic)' is no topic to publish on", fail)
      }
      let listeners = listeners
      let answers = answers
      client.publish(topic, message, qos: level, retain: retain) { result in
        switch result {
        case .success: if let success { answers.yield(success) }
        case .failure(let error): Self.answer(error, fail, answers, listeners)
        }
      }
      return 0
    }

    /// Publishes text.
    @discardableResult
    public func publish(
      topic: String, message: String, qos: Int = 0, retain: Bool = false,
      success: (@Sendable () -> Void)? = nil, fail: (@Sendable (_ reason: String) -> Void)? = nil
    ) -> Int {
      publish(
        topic: topic, message: Array(message.utf8), qos: qos, retain: retain, success: success, fail: fail)
    }

    /// Disconnects for good; the event `close` follows. 0, or -1 when that was done before.
    @discardableResult
    public func close() -> Int {
      let isFirst = state.withLock { state in
        defer { state.isClosed = true }
        return !state.isClosed
      }
      guard isFirst else { return -1 }
      client.close()
      return 0
    }

    private var isClosed: Bool { state.withLock { $0.isClosed } }

    private func refuse(_ reason: String, _ fail: (@Sendable (String) -> Void)?) -> Int {
      let listeners = listeners
      if let fail { answers.yield { fail(reason) } }
      Task { await listeners.tell(error: reason) }
      return -1
    }

    private static func answer(
      _ error: MQTTAsyncError, _ fail: (@Sendable (String) -> Void)?,
      _ answers: AsyncStream<@Sendable () -> Void>.Continuation, _ listeners: Listeners
    ) {
      let reason = "\(error)"
      if let fail { answers.yield { fail(reason) } }
      Task { await listeners.tell(error: reason) }
    }
  }
}
