import MQTTCodec

// The same calls with the types that programs have at hand.
extension MQTTClient {
  @discardableResult
  public func publish(
    topic: String, payload: [UInt8], qos: MQTTQoS = .atMostOnce, retain: Bool = false,
    properties: PropertyList = PropertyList(), durability: MQTTDurability? = nil
  ) throws(MQTTPublishError) -> UInt16 {
    try publish(
      topic: topic.utf8.span, payload: payload.span, qos: qos, retain: retain,
      properties: properties.bytes.span,
      durability: durability)
  }

  @discardableResult
  public func publish(
    topic: String, payload: String, qos: MQTTQoS = .atMostOnce, retain: Bool = false,
    properties: PropertyList = PropertyList(), durability: MQTTDurability? = nil
  ) throws(MQTTPublishError) -> UInt16 {
    try publish(
      topic: topic.utf8.span, payload: payload.utf8.span, qos: qos, retain: retain,
      properties: properties.bytes.span, durability: durability)
  }

  @discardableResult
  public func subscribe(
    filter: String, qos: MQTTQoS = .atMostOnce
  ) throws(MQTTSubscribeError) -> MQTTSubscription {
    try subscribe(filter: filter.utf8.span, qos: qos)
  }

  @discardableResult
  public func subscribe(
    filter: String, options: MQTTSubscribeOptions, subscriptionID: UInt32? = nil,
    userProperties: PropertyList = PropertyList()
  ) throws(MQTTSubscribeError) -> MQTTSubscription {
    try subscribe(
      filter: filter.utf8.span, options: options, subscriptionID: subscriptionID,
      userProperties: userProperties.bytes.span)
  }

  /// Copies bytes from the socket in; answers how many there was room for.
  public func receive(_ bytes: [UInt8], now: UInt64) -> Int { receive(bytes.span, now: now) }
}

extension MQTTFilter {
  public init(_ filter: String, options: MQTTSubscribeOptions = MQTTSubscribeOptions(qos: .atMostOnce)) {
    self.init(Array(filter.utf8), options: options)
  }
}

// Not where the codes are: what reads and writes packets allocates nothing, which a String does.
extension MQTTReasonCode: CustomStringConvertible {
  public var description: String { text.description }
}
