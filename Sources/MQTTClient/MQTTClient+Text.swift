import MQTTCodec

// The same calls with the types that programs have at hand.
extension MQTTClient {
  @discardableResult
  public func publish(
    topic: String, payload: [UInt8], qos: MQTTQoS = .atMostOnce, retain: Bool = false,
    properties: PropertyList = PropertyList(), durability: MQTTDurability? = nil
  ) throws(MQTTPublishError) -> UInt16 {
    try topic.withBytes { topic throws(MQTTPublishError) in
      try publish(
        topic: topic, payload: payload.span, qos: qos, retain: retain,
        properties: properties.bytes.span, durability: durability)
    }
  }

  @discardableResult
  public func publish(
    topic: String, payload: String, qos: MQTTQoS = .atMostOnce, retain: Bool = false,
    properties: PropertyList = PropertyList(), durability: MQTTDurability? = nil
  ) throws(MQTTPublishError) -> UInt16 {
    try topic.withBytes { topic throws(MQTTPublishError) in
      try payload.withBytes { payload throws(MQTTPublishError) in
        try publish(
          topic: topic, payload: payload, qos: qos, retain: retain,
          properties: properties.bytes.span, durability: durability)
      }
    }
  }

  @discardableResult
  public func subscribe(
    filter: String, qos: MQTTQoS = .atMostOnce
  ) throws(MQTTSubscribeError) -> MQTTSubscription {
    try subscribe(filter: filter.bytes.span, qos: qos)
  }

  @discardableResult
  public func subscribe(
    filter: String, options: MQTTSubscribeOptions, subscriptionID: UInt32? = nil,
    userProperties: PropertyList = PropertyList()
  ) throws(MQTTSubscribeError) -> MQTTSubscription {
    try subscribe(
      filter: filter.bytes.span, options: options, subscriptionID: subscriptionID,
      userProperties: userProperties.bytes.span)
  }

  /// Copies bytes from the socket in; answers how many there was room for.
  public func receive(_ bytes: [UInt8], now: UInt64) -> Int { receive(bytes.span, now: now) }
}

extension MQTTFilter {
  public init(_ filter: String, options: MQTTSubscribeOptions = MQTTSubscribeOptions(qos: .atMostOnce)) {
    self.init(filter.bytes, options: options)
  }
}

extension String {
  @inline(never)
  var bytes: [UInt8] { withBytes { $0.copied } }

  /// Its bytes of UTF-8 while `body` runs; nothing is allocated.
  func withBytes<Result, Failure>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // Not `utf8.span`: in an optimized Embedded program for arm64, that of a short text was seen to lie on a stack that
    // was gone. Not `withUTF8` or a loop over `utf8`: they bring code for strings in UTF-16 along, which Linux has not.
    let result = utf8.withContiguousStorageIfAvailable { bytes in
      Swift.Result { () throws(Failure) in try body(bytes.span) }
    }
    guard let result else { preconditionFailure("a text that is not UTF-8") }
    return try result.get()
  }
}

// Not where the codes are: what reads and writes packets allocates nothing, which a String does.
extension MQTTReasonCode: CustomStringConvertible {
  public var description: String { text.description }
}
