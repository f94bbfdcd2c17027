import HAL
import LinuxPlatform
import MQTTClient

/// A message on its way to the session.
struct Outgoing: Sendable {
  var call: UInt64
  var topic: [UInt8]
  var payload: [UInt8]
  var qos: MQTTQoS
  var retain: Bool
  var properties: [UInt8]
  /// Nil: as the rules say.
  var durability: MQTTDurability?
}

extension Engine {
  func publish(_ message: Outgoing, _ waiter: @escaping Waiter) {
    waiters[message.call] = waiter
    // Others that wait for room go first.
    if !unsent.isEmpty || !send(message) { unsent.append(message) }
  }

  func sendWaiting() {
    while let message = unsent.first, send(message) { _ = unsent.popFirst() }
  }

  /// False: it has to wait for room.
  private func send(_ message: Outgoing) -> Bool {
    let durability = durability(of: message)
    if durability != .memory { noteStoreFailures() }
    do throws(MQTTPublishError) {
      let packetID = try client.publish(
        topic: message.topic.span, payload: message.payload.span, qos: message.qos, retain: message.retain,
        properties: message.properties.span, durability: durability)
      if durability != .memory {
        unsaved.calls.append(message.call)
      } else if packetID == 0 {
        settle(message.call, .success(()))
      } else {
        inFlight[packetID] = message.call
      }
    } catch {
      switch error {
      case .outboxFull where durability != .memory && !client.hasUnsettled:
        settle(message.call, .failure(.outbox(Self.tooLarge)))
      case .outputFull, .outboxFull: return false
      case .storeFailed(let error): settle(message.call, .failure(.outbox(error.words)))
      case .notConnected: settle(message.call, .failure(.notConnected))
      case .unsupported(let code): settle(message.call, .failure(.publishFailed(.refused(code), nil)))
      default: settle(message.call, .failure(.publish(error)))
      }
    }
    return true
  }

  private static let tooLarge = "has no room for the message, though it is empty: give it a larger capacity"

  func handle(_ event: MQTTEvent) {
    switch event {
    case .connected(let sessionPresent): connected(sessionPresent: sessionPresent)
    case .refused(let code): disconnected(.refused(code, words), isLasting: code.isLasting)
    case .connectionFailed(let reason): disconnected(failure(reason, isAttempt: true))
    case .disconnected(let reason): disconnected(failure(reason, isAttempt: false))
    case .message(let message): receive(message)
    case .oversized(let message, _): countOversized(message)
    case .published(let packetID): settled(packetID, .success(()))
    case .publishFailed(let packetID, let failure):
      settled(packetID, .failure(.publishFailed(failure, words)))
    case .subscribed(let subscription, let qos): granted(subscription, qos)
    case .subscriptionRefused(let subscription, let code): refused(subscription, code)
    case .unsubscribed(let subscription, let code): unsubscribed(subscription, code)
    case .reauthenticated, .storeFailed: break
    }
  }

  private func settled(_ packetID: UInt16, _ result: Result<Void, MQTTAsyncError>) {
    if let call = inFlight.removeValue(forKey: packetID) { return settle(call, result) }
    // Its call has returned long ago, or was of an earlier program.
    if case .failure(let error) = result { flushing.failure = error }
  }

  // MARK: Messages that come

  private func receive(_ message: MQTTMessage) {
    let properties: MQTTMessageProperties
    do {
      properties = try client.withProperties(of: message) {
        (span: Span<UInt8>) throws(MQTTMalformedPacket) -> MQTTMessageProperties in
        try MQTTMessageProperties(span)
      }
    } catch {
      // The session has checked them.
      return
    }
    let postponed = client.postponeAcknowledgement()
    if let postponed, deliveries.isRepetition(postponed, duplicate: message.duplicate) { return }
    client.withMessage(message) { topic, payload in
      let received = MQTTReceivedMessage(
        topic: topic.text, payload: payload.bytes, qos: message.qos, retain: message.retain,
        duplicate: message.duplicate, packetID: message.packetID, properties: properties)
      let targets = targets(topic, properties.subscriptionIdentifiers)
      let holders = targets.count { streams[$0]?.buffer.awaitsHandling == true }
      let number = postponed.map { deliveries.add($0, holders: holders) } ?? 0
      _ = deliver(Delivered(message: received, number: number), to: targets)
    }
  }

  /// A loop is done with a message.
  func handled(_ number: UInt64) {
    deliveries.handled(number)
  }

  private func countOversized(_ message: MQTTMessage) {
    client.withMessage(message) { topic, _ in
      for id in targets(topic, []) { streams[id]?.buffer.countOversized() }
    }
  }

  /// The streams that a message is for. A server of 5.0 says for which subscriptions it came, so that
  /// filters that overlap do not multiply messages.
  private func targets(_ topic: Span<UInt8>, _ identifiers: [UInt32]) -> [UInt64] {
    let matching = filters.values.filter { TopicFilter.matches($0.matched.span, topic: topic) }
    let meant = matching.filter { identifiers.contains($0.identifier) }
    var targets: [UInt64] = []
    for entry in meant.isEmpty ? matching : meant {
      for id in entry.streams where !targets.contains(id) { targets.append(id) }
    }
    return targets.isEmpty ? streams.filter { $0.value.isForRest }.map(\.key) : targets
  }

  /// False: some of its streams have no room; then nothing more is taken from the session.
  func deliver(_ message: Delivered, to targets: [UInt64]) -> Bool {
    let isStretched = !waiters.isEmpty
    let full = targets.filter { id in
      guard let buffer = streams[id]?.buffer else { return false }
      let number = buffer.awaitsHandling ? message.number : 0
      let outcome = buffer.push(
        Delivered(message: message.message, number: number), stretched: isStretched)
      // Its subscription has ended a moment ago.
      if outcome == .finished { deliveries.handled(number) }
      return outcome == .full
    }
    guard !full.isEmpty else {
      held = nil
      return true
    }
    if held == nil || held?.targets != full { heldSince = loop.now }
    held = (message, full)
    return false
  }

  // MARK: When nobody takes messages

  /// How long calls wait for answers behind messages that nobody takes.
  private static let blockedPatience = Duration.seconds(10)

  var blockedUntil: Instant? {
    held == nil || waiters.isEmpty ? nil : heldSince + Self.blockedPatience
  }

  /// Who takes messages of a full stream may be waiting for an answer behind them: for ever.
  func giveUpBlocked(_ now: Instant) {
    guard let blockedUntil, now >= blockedUntil, let id = held?.targets.first else { return }
    let error = MQTTAsyncError.blocked(streams[id]?.buffer.name ?? "")
    unsent.remove { _ in true }
    inFlight.removeAll()
    for id in streams.keys { streams[id]?.waiters.removeAll() }
    for call in Array(waiters.keys) { settle(call, .failure(error)) }
  }
}
