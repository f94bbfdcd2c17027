import MQTTCodec

public typealias MQTTSubscribeOptions = SubscriptionOptions

extension MQTTClient {
  /// Adds a filter to the table: it is subscribed on every connection whose server does not know it
  /// yet. A filter that is in the table keeps its number and is asked for anew. Meant for set-up: it
  /// allocates. [MQTT-3.8.1-1], [MQTT-3.8.3-1]
  @discardableResult
  public func subscribe(
    filter: Span<UInt8>, qos: MQTTQoS = .atMostOnce
  ) throws(MQTTSubscribeError) -> MQTTSubscription {
    try subscribe(filter: filter, options: MQTTSubscribeOptions(qos: qos))
  }

  /// The same with what 5.0 adds; a connection of 3.1.1 takes the QoS only. Messages carry the
  /// `subscriptionID` (1…268,435,455) of each filter that they came for; `userProperties` go with the
  /// `SUBSCRIBE`, encoded. `$share/NAME/FILTER` subscribes together with others of that name.
  @discardableResult
  public func subscribe(
    filter: Span<UInt8>, options: MQTTSubscribeOptions, subscriptionID: UInt32? = nil,
    userProperties: Span<UInt8> = Span()
  ) throws(MQTTSubscribeError) -> MQTTSubscription {
    do {
      try TopicFilter.check(filter)
    } catch {
      throw .invalidFilter(error)
    }
    if isShared(filter), self.options.version.isV5 {
      guard isWellShared(filter) else { throw .invalidFilter(.invalidFilter) }
      guard !options.noLocal else { throw .invalidOptions }
    }
    let properties = try subscribeProperties(subscriptionID, userProperties)
    guard filter.count + properties.count + 14 + Self.reserve <= output.capacity else { throw .tooLarge }
    let index = subscriptions.add(
      Subscriptions.Entry(
        filter: filter.copied, options: options, properties: properties, hasIdentifier: subscriptionID != nil)
    )
    pump()
    return MQTTSubscription(index: index)
  }

  private func subscribeProperties(
    _ identifier: UInt32?, _ userProperties: Span<UInt8>
  ) throws(MQTTSubscribeError) -> [UInt8] {
    guard MQTTVersion.hasV5 else { return [] }
    var list = PropertyList()
    if let identifier {
      guard identifier <= UInt32(VariableByteInteger.max) else { throw .invalidOptions }
      list.append(.subscriptionIdentifier, identifier)
    }
    let all = list.bytes + userProperties.copied
    do {
      try Properties.check(all.span, for: .subscribe)
    } catch {
      throw .invalidOptions
    }
    return all
  }

  /// Takes a filter out of the table; `.unsubscribed` tells when the server has forgotten it, and from
  /// then on its number may be given to another one. Messages may come until then. What is not in the
  /// table, or is leaving it, is ignored. [MQTT-3.10.1-1]
  public func unsubscribe(_ subscription: MQTTSubscription) {
    if subscriptions.remove(subscription.index, []) { pump() }
  }

  /// The same with what 5.0 adds: user properties that go with the `UNSUBSCRIBE`, encoded.
  public func unsubscribe(
    _ subscription: MQTTSubscription, userProperties: Span<UInt8>
  ) throws(MQTTSubscribeError) {
    do {
      try Properties.check(userProperties, for: .unsubscribe)
    } catch {
      throw .invalidOptions
    }
    guard subscriptions.entries.indices.contains(subscription.index) else { return }
    let filter = subscriptions.entries[subscription.index].filter
    guard filter.count + userProperties.count + 14 + Self.reserve <= output.capacity else { throw .tooLarge }
    if subscriptions.remove(subscription.index, MQTTVersion.hasV5 ? userProperties.copied : []) { pump() }
  }

  /// Writes as many `SUBSCRIBE` and `UNSUBSCRIBE` as there is room for.
  @inline(never)
  func sendSubscriptions() {
    while let index = subscriptions.firstUnsent(), sendSubscription(index) {}
  }

  private func sendSubscription(_ index: Int) -> Bool {
    let entry = subscriptions.entries[index]
    let room = entry.filter.count + entry.properties.count + 14
    if let reason = obstacle(entry, room: room) {
      subscriptions.withhold(index, reason)
      hasUnavailable = true
      return true
    }
    guard output.makeRoom(room + Self.reserve), let packetID = packetIDs.next() else { return false }
    let isWritten = output.write { span throws(EncodingError) in
      try encode(entry, packetID, into: &span)
    }
    guard isWritten else { return false }
    packetIDs.use(packetID, forSubscription: index)
    subscriptions.sent(index, packetID: packetID)
    return true
  }

  private func encode(
    _ entry: Subscriptions.Entry, _ packetID: UInt16, into span: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    let filter = entry.filter.span
    switch (entry.state == .unwanted, isV5) {
    case (true, true):
      return try Unsubscribe.encodeV5(
        packetID: packetID, properties: entry.properties.span, filter: filter, into: &span)
    case (true, false): return try Unsubscribe.encode(packetID: packetID, filter: filter, into: &span)
    case (false, true):
      return try Subscribe.encodeV5(
        packetID: packetID, properties: entry.properties.span, filter: filter, options: entry.options,
        into: &span)
    case (false, false):
      return try Subscribe.encode(packetID: packetID, filter: filter, qos: entry.options.qos, into: &span)
    }
  }

  /// Why this server does not take a filter, if so. [MQTT5-3.2.2-15], section 3.2.2.3
  private func obstacle(_ entry: Subscriptions.Entry, room: Int) -> MQTTReasonCode? {
    guard isV5 else { return nil }
    guard UInt32(clamping: room) <= serverLimits.maximumPacketSize else { return .packetTooLarge }
    guard entry.state == .wanted else { return nil }
    if entry.hasIdentifier, !serverLimits.subscriptionIdentifierAvailable {
      return .subscriptionIdentifiersNotSupported
    }
    if isShared(entry.filter.span), !serverLimits.sharedSubscriptionAvailable {
      return .sharedSubscriptionsNotSupported
    }
    if !serverLimits.wildcardSubscriptionAvailable {
      for byte in entry.filter where byte == UInt8(ascii: "+") || byte == UInt8(ascii: "#") {
        return .wildcardSubscriptionsNotSupported
      }
    }
    return nil
  }

  /// Begins with `$share/`.
  private func isShared(_ filter: Span<UInt8>) -> Bool {
    let prefix: StaticString = "$share/"
    guard filter.count >= prefix.utf8CodeUnitCount else { return false }
    for index in 0..<prefix.utf8CodeUnitCount where filter[index] != prefix.utf8Start[index] { return false }
    return true
  }

  /// `$share/NAME/FILTER`: the name has no wildcard, and neither is empty. [MQTT5-4.8.2-1], [MQTT5-4.8.2-2]
  private func isWellShared(_ filter: Span<UInt8>) -> Bool {
    var index = 7
    while index < filter.count, filter[index] != UInt8(ascii: "/") {
      if filter[index] == UInt8(ascii: "+") || filter[index] == UInt8(ascii: "#") { return false }
      index += 1
    }
    return index > 7 && index + 1 < filter.count
  }

  // MARK: Answers

  /// `SUBACK` of 3.1.1. Answers to what is not under way are ignored.
  func subscribed(_ body: Span<UInt8>) throws(MalformedPacket) -> MQTTEvent? {
    let answer = try Suback.decode(body)
    guard answer.count == 1 else { throw .wrongLength }
    switch Suback.answer(body, at: 0) {
    case .granted(let qos): return subscribed(answer.packetID, ReasonCode(rawValue: qos.rawValue))
    case .refused: return subscribed(answer.packetID, .unspecifiedError)
    }
  }

  func subscribed(_ packetID: UInt16, _ code: MQTTReasonCode) -> MQTTEvent? {
    guard case .subscription(let index) = packetIDs.owner(of: packetID) else { return nil }
    // In between it may have become unwanted.
    let state = subscriptions.entries[index].state
    guard state != .unasked(packetID) else { return nil }
    release(packetID)
    guard state == .asked(packetID) else { return nil }
    guard let qos = QoS(rawValue: code.rawValue) else {
      subscriptions.settle(index, .refused)
      return .subscriptionRefused(MQTTSubscription(index: index), code)
    }
    subscriptions.settle(index, .granted)
    return .subscribed(MQTTSubscription(index: index), qos)
  }

  /// `UNSUBACK`. Answers to what is not under way are ignored.
  func unsubscribed(_ packetID: UInt16, _ code: MQTTReasonCode) -> MQTTEvent? {
    guard case .subscription(let index) = packetIDs.owner(of: packetID),
      subscriptions.entries[index].state == .unasked(packetID)
    else { return nil }
    release(packetID)
    subscriptions.settle(index, .gone)
    return .unsubscribed(MQTTSubscription(index: index), code)
  }

  /// Another `SUBSCRIBE` may have waited for a packet identifier.
  private func release(_ packetID: UInt16) {
    packetIDs.release(packetID)
    pump()
  }

  /// Tells of a filter that this server does not take.
  func nextUnavailable() -> MQTTEvent? {
    for index in subscriptions.entries.indices {
      switch subscriptions.entries[index].state {
      case .unavailable(let reason):
        subscriptions.settle(index, .refused)
        return .subscriptionRefused(MQTTSubscription(index: index), reason)
      case .unforgettable(let reason):
        subscriptions.settle(index, .gone)
        return .unsubscribed(MQTTSubscription(index: index), reason)
      default: continue
      }
    }
    hasUnavailable = false
    return nil
  }
}
