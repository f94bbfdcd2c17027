import MQTTCodec

public typealias MQTTSubscribeOptions = SubscriptionOptions

/// A filter of a `SUBSCRIBE` that has several of them.
public struct MQTTFilter: Equatable, Sendable {
  /// UTF-8.
  public var bytes: [UInt8]
  public var options: MQTTSubscribeOptions

  public init(_ bytes: [UInt8], options: MQTTSubscribeOptions = MQTTSubscribeOptions(qos: .atMostOnce)) {
    self.bytes = bytes
    self.options = options
  }
}

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
    let properties = try subscribeProperties(subscriptionID, userProperties)
    try check(filter, options, properties)
    let subscription = add(
      filter.copied, options, properties, hasIdentifier: subscriptionID != nil,
      call: subscriptions.nextCall())
    pump()
    return subscription
  }

  /// The same with several filters in one `SUBSCRIBE`, or in as many as it takes for a server that takes short packets
  /// only; each is told of. Answers their places in the table, in that order. After an error none is taken.
  @discardableResult
  public func subscribe(
    _ filters: [MQTTFilter], subscriptionID: UInt32? = nil, userProperties: Span<UInt8> = Span()
  ) throws(MQTTSubscribeError) -> [MQTTSubscription] {
    let properties = try subscribeProperties(subscriptionID, userProperties)
    for filter in filters { try check(filter.bytes.span, filter.options, properties) }
    let call = subscriptions.nextCall()
    var added: [MQTTSubscription] = []
    for filter in filters {
      added.append(
        add(filter.bytes, filter.options, properties, hasIdentifier: subscriptionID != nil, call: call))
    }
    pump()
    return added
  }

  private func check(
    _ filter: Span<UInt8>, _ options: MQTTSubscribeOptions, _ properties: [UInt8]
  ) throws(MQTTSubscribeError) {
    do {
      try TopicFilter.check(filter)
    } catch {
      throw .invalidFilter(error)
    }
    if isShared(filter), self.options.version.isV5 {
      guard isWellShared(filter) else { throw .invalidFilter(.invalidFilter) }
      guard !options.noLocal else { throw .invalidOptions }
    }
    guard canHold(filter.count, properties.count) else { throw .tooLarge }
  }

  /// The send buffer has room for a packet with one filter of that length.
  private func canHold(_ filter: Int, _ properties: Int) -> Bool {
    Self.beginning + properties + filter + 3 + Self.reserve <= output.capacity
  }

  private func add(
    _ filter: [UInt8], _ options: MQTTSubscribeOptions, _ properties: [UInt8], hasIdentifier: Bool,
    call: UInt32
  ) -> MQTTSubscription {
    MQTTSubscription(
      index: subscriptions.add(
        Subscriptions.Entry(
          filter: filter, options: options, properties: properties, hasIdentifier: hasIdentifier, call: call))
    )
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
    if subscriptions.remove(subscription.index, [], call: subscriptions.nextCall()) { pump() }
  }

  /// The same with several of them in one `UNSUBSCRIBE`, as `subscribe` has it.
  public func unsubscribe(_ subscriptions: [MQTTSubscription]) {
    remove(subscriptions, [])
  }

  /// The same with what 5.0 adds: user properties that go with the `UNSUBSCRIBE`, encoded.
  public func unsubscribe(
    _ subscription: MQTTSubscription, userProperties: Span<UInt8>
  ) throws(MQTTSubscribeError) {
    try unsubscribe([subscription], userProperties: userProperties)
  }

  /// The same.
  public func unsubscribe(
    _ subscriptions: [MQTTSubscription], userProperties: Span<UInt8>
  ) throws(MQTTSubscribeError) {
    do {
      try Properties.check(userProperties, for: .unsubscribe)
    } catch {
      throw .invalidOptions
    }
    for subscription in subscriptions where self.subscriptions.entries.indices.contains(subscription.index) {
      let filter = self.subscriptions.entries[subscription.index].filter
      guard canHold(filter.count, userProperties.count) else { throw .tooLarge }
    }
    remove(subscriptions, MQTTVersion.hasV5 ? userProperties.copied : [])
  }

  private func remove(_ removed: [MQTTSubscription], _ properties: [UInt8]) {
    let call = subscriptions.nextCall()
    for subscription in removed { _ = subscriptions.remove(subscription.index, properties, call: call) }
    pump()
  }

  /// Writes as many `SUBSCRIBE` and `UNSUBSCRIBE` as there is room for.
  @inline(never)
  func sendSubscriptions() {
    if isV5 { withholdSubscriptions() }
    while let first = subscriptions.firstUnsent(), sendSubscriptions(from: first) {}
  }

  /// Writes one packet: with others of its call, as far as they fit and this server takes packets so long.
  private func sendSubscriptions(from first: Int) -> Bool {
    let (call, state) = (subscriptions.entries[first].call, subscriptions.entries[first].state)
    let properties = subscriptions.entries[first].properties
    let beginning = Self.beginning + properties.count
    let longest = min(output.capacity - Self.reserve, Int(clamping: serverLimits.maximumPacketSize))
    let batch = subscriptions.batch(from: first, room: longest - beginning)
    guard output.makeRoom(beginning + batch.length + Self.reserve), let packetID = packetIDs.next() else {
      return false
    }
    let type = state == .unwanted ? PacketType.unsubscribe : .subscribe
    var isWritten = output.write { span throws(EncodingError) in
      try Subscribe.begin(
        type, packetID: packetID, properties: properties.span, version: protocolVersion,
        listLength: batch.length, into: &span)
    }
    var place = 0
    for index in first...batch.last where subscriptions.isUnsent(index, of: call, state) {
      isWritten = isWritten && write(subscriptions.entries[index])
      subscriptions.sent(index, packetID: packetID, place: place)
      place += 1
    }
    assert(isWritten)
    packetIDs.use(packetID, for: type, place)
    return true
  }

  private func write(_ entry: Subscriptions.Entry) -> Bool {
    var options: UInt8?
    if entry.state == .wanted { options = isV5 ? entry.options.rawValue : entry.options.qos.rawValue }
    return output.write { span throws(EncodingError) in
      try Subscribe.append(filter: entry.filter.span, options: options, to: &span)
    }
  }

  /// Bytes of a packet before its properties, and their length, at most.
  private static let beginning = 5 + 2 + 4

  /// Those that this server does not take are not sent.
  @inline(never)
  private func withholdSubscriptions() {
    for index in subscriptions.entries.indices {
      if let reason = obstacle(subscriptions.entries[index]) {
        subscriptions.withhold(index, reason)
        hasUnavailable = true
      }
    }
  }

  /// Why this server does not take a filter that is to be sent, if so. [MQTT5-3.2.2-15], section 3.2.2.3
  private func obstacle(_ entry: Subscriptions.Entry) -> MQTTReasonCode? {
    guard entry.state == .wanted || entry.state == .unwanted else { return nil }
    let length = Self.beginning + entry.properties.count + entry.filter.count + 3
    guard UInt32(clamping: length) <= serverLimits.maximumPacketSize else { return .packetTooLarge }
    guard entry.state == .wanted else { return nil }
    if entry.hasIdentifier, !serverLimits.subscriptionIdentifierAvailable {
      return .subscriptionIdentifiersNotSupported
    }
    if !serverLimits.sharedSubscriptionAvailable, isShared(entry.filter.span) {
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

  /// `SUBACK` or `UNSUBACK`: tells of one filter after the other. The packet stays until there are no more. Answers to
  /// what is not under way are ignored. Without codes, as in 3.1.1, all went well.
  @inline(never)
  func answered(
    _ type: PacketType, _ packetID: UInt16, _ codes: Span<UInt8>
  ) throws(MalformedPacket) -> MQTTEvent? {
    guard let count = packetIDs.value(of: packetID, in: type) else { return nil }
    guard codes.isEmpty || codes.count == count else { throw .wrongCount }
    // In between some may have become unwanted, or wanted in another way.
    guard let index = subscriptions.first(askedBy: packetID, in: type) else {
      packetIDs.release(packetID)
      // Another SUBSCRIBE may have waited for a packet identifier.
      pump()
      return nil
    }
    let subscription = MQTTSubscription(index: index)
    let code = codes.isEmpty ? 0 : codes[subscriptions.entries[index].place]
    if type == .unsubscribe {
      subscriptions.settle(index, .gone)
      return .unsubscribed(subscription, MQTTReasonCode(rawValue: code))
    }
    guard let qos = QoS(rawValue: code) else {
      subscriptions.settle(index, .refused)
      return .subscriptionRefused(subscription, MQTTReasonCode(rawValue: code))
    }
    subscriptions.settle(index, .granted)
    return .subscribed(subscription, qos)
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
