import MQTTCodec

extension MQTTClient {
  /// Adds a filter to the table: it is subscribed on every connection whose server does not know it
  /// yet. A filter that is in the table keeps its number and is asked for anew. Meant for set-up: it
  /// allocates. [MQTT-3.8.1-1], [MQTT-3.8.3-1]
  @discardableResult
  public func subscribe(
    filter: Span<UInt8>, qos: MQTTQoS = .atMostOnce
  ) throws(MQTTSubscribeError) -> MQTTSubscription {
    do {
      try TopicFilter.check(filter)
    } catch {
      throw .invalidFilter(error)
    }
    guard filter.count + 10 + Self.reserve <= output.capacity else { throw .tooLarge }
    let index = subscriptions.add(filter, qos)
    pump()
    return MQTTSubscription(index: index)
  }

  /// Takes a filter out of the table; `.unsubscribed` tells when the server has forgotten it, and from
  /// then on its number may be given to another one. Messages may come until then. What is not in the
  /// table, or is leaving it, is ignored. [MQTT-3.10.1-1]
  public func unsubscribe(_ subscription: MQTTSubscription) {
    if subscriptions.remove(subscription.index) { pump() }
  }

  /// Writes as many `SUBSCRIBE` and `UNSUBSCRIBE` as there is room for.
  @inline(never)
  func sendSubscriptions() {
    while let index = subscriptions.firstUnsent(), sendSubscription(index) {}
  }

  private func sendSubscription(_ index: Int) -> Bool {
    let entry = subscriptions.entries[index]
    guard output.makeRoom(entry.filter.count + 10 + Self.reserve), let packetID = packetIDs.next() else {
      return false
    }
    let isWritten = output.write { span throws(EncodingError) in
      if entry.state == .unwanted {
        return try Unsubscribe.encode(packetID: packetID, filter: entry.filter.span, into: &span)
      }
      return try Subscribe.encode(
        packetID: packetID, filter: entry.filter.span, qos: entry.qos, into: &span)
    }
    guard isWritten else { return false }
    packetIDs.use(packetID, forSubscription: index)
    subscriptions.sent(index, packetID: packetID)
    return true
  }

  /// `SUBACK`. Answers to what is not under way are ignored.
  func subscribed(_ body: Span<UInt8>) throws(MalformedPacket) -> MQTTEvent? {
    let answer = try Suback.decode(body)
    guard case .subscription(let index) = packetIDs.owner(of: answer.packetID) else { return nil }
    guard answer.count == 1 else { throw .wrongLength }
    packetIDs.release(answer.packetID)
    // In between it may have become unwanted.
    guard subscriptions.entries[index].state == .asked(answer.packetID) else { return nil }
    let subscription = MQTTSubscription(index: index)
    switch Suback.answer(body, at: 0) {
    case .granted(let qos):
      subscriptions.settle(index, .granted)
      return .subscribed(subscription, qos)
    case .refused:
      subscriptions.settle(index, .refused)
      return .subscriptionRefused(subscription)
    }
  }

  /// `UNSUBACK`. Answers to what is not under way are ignored.
  func unsubscribed(_ packetID: UInt16) -> MQTTEvent? {
    guard case .subscription(let index) = packetIDs.owner(of: packetID),
      subscriptions.entries[index].state == .unasked(packetID)
    else { return nil }
    packetIDs.release(packetID)
    subscriptions.settle(index, .gone)
    return .unsubscribed(MQTTSubscription(index: index))
  }
}
