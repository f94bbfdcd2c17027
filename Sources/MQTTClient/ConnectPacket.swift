import MQTTCodec

/// What a client says in every `CONNECT`, in either version, beside its options.
struct ConnectPacket {
  /// Properties of 5.0: Receive Maximum, then the others in the order of their identifiers. Those of an
  /// authentication come between the two parts.
  private let firstProperties: [UInt8]
  private let properties: [UInt8]
  private let willProperties: [UInt8]
  /// Seconds that a server of 5.0 keeps the session.
  let sessionExpiry: UInt32

  init(_ options: MQTTClientOptions) throws(MQTTOptionsError) {
    try Self.check(options)
    sessionExpiry = options.sessionExpiry ?? (options.cleanSession ? 0 : .max)
    guard MQTTVersion.hasV5 else {
      firstProperties = []
      properties = []
      willProperties = []
      return
    }
    firstProperties = Self.firstProperties(options, sessionExpiry: sessionExpiry)
    properties = Self.properties(options)
    guard options.receiveMaximum > 0, options.maximumPacketSize != 0 else { throw .invalidCapacity }
    guard Self.isValid(firstProperties + properties, for: .connect) else { throw .invalidProperties }
    willProperties = try Self.willProperties(options.will)
  }

  /// Bytes that are enough for either version, without data of an authentication.
  func longest(_ options: MQTTClientOptions) -> Int {
    let will = options.will
    let strings = options.clientID.byteCount + (options.username ?? "").byteCount
    let willCount = (will?.topic ?? "").byteCount + (will?.payload ?? []).count + willProperties.count
    return 48 + strings + willCount + (options.password ?? []).count + firstProperties.count
      + properties.count
  }

  /// Writes it. `assigned`: the client identifier that the server gave us, when we have none;
  /// `authentication`: properties of 5.0.
  func encode(
    _ options: MQTTClientOptions, _ version: ProtocolVersion, cleanStart: Bool, assigned: [UInt8],
    authentication: [UInt8], into span: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    let will = options.will
    let willTopic = (will?.topic ?? "").bytes
    let willPayload = will?.payload ?? []
    let username = (options.username ?? "").bytes
    let password = options.password ?? []
    let clientID = assigned.isEmpty ? options.clientID.bytes : assigned
    let fields = Connect.Options(
      version: version, cleanSession: cleanStart, keepAlive: options.keepAlive,
      willQoS: will?.qos ?? .atMostOnce, willRetain: will?.retain ?? false)
    let all = MQTTVersion.hasV5 ? firstProperties + authentication + properties : []
    return try Connect.encode(
      fields, properties: all.span, clientID: clientID.span, willProperties: willProperties.span,
      willTopic: will == nil ? nil : willTopic.span, willPayload: will == nil ? nil : willPayload.span,
      username: options.username == nil ? nil : username.span,
      password: options.password == nil ? nil : password.span, into: &span)
  }

  private static func firstProperties(_ options: MQTTClientOptions, sessionExpiry: UInt32) -> [UInt8] {
    var list = PropertyList()
    list.append(.receiveMaximum, UInt32(options.receiveMaximum))
    if sessionExpiry > 0 { list.append(.sessionExpiryInterval, sessionExpiry) }
    return list.bytes
  }

  private static func properties(_ options: MQTTClientOptions) -> [UInt8] {
    var list = PropertyList()
    if options.topicAliasMaximum > 0 { list.append(.topicAliasMaximum, UInt32(options.topicAliasMaximum)) }
    if let maximum = options.maximumPacketSize { list.append(.maximumPacketSize, maximum) }
    return list.bytes + options.properties.bytes
  }

  private static func willProperties(_ will: MQTTWill?) throws(MQTTOptionsError) -> [UInt8] {
    guard let will else { return [] }
    var list = PropertyList()
    if will.delay > 0 { list.append(.willDelayInterval, will.delay) }
    let all = list.bytes + will.properties.bytes
    guard isValid(all, for: .will) else { throw .invalidProperties }
    return all
  }

  private static func isValid(_ list: [UInt8], for owner: PropertyOwner) -> Bool {
    do {
      try Properties.check(list.span, for: owner)
      return true
    } catch {
      return false
    }
  }

  private static func check(_ options: MQTTClientOptions) throws(MQTTOptionsError) {
    guard isText(options.clientID), isText(options.username ?? "") else { throw .invalidString }
    guard (options.password ?? []).count <= 0xFFFF else { throw .invalidString }
    let mayBeOld = options.version == .v3_1_1 || options.fallsBack
    guard mayBeOld || MQTTVersion.hasV5 else { throw .unavailableVersion }
    guard options.cleanSession || options.clientID.byteCount > 0 || !mayBeOld else { throw .emptyClientID }
    guard options.password == nil || options.username != nil || !mayBeOld else {
      throw .passwordWithoutUsername
    }
    guard options.receiveCapacity >= 16, options.sendCapacity >= 128, options.outboxCapacity >= 64,
      options.maxInFlight >= 1, options.receiveCapacity <= Int(Int32.max),
      options.outboxCapacity <= Int(Int32.max)
    else { throw .invalidCapacity }
    guard let will = options.will else { return }
    guard will.payload.count <= 0xFFFF else { throw .invalidString }
    do {
      try TopicName.check(will.topic.bytes.span)
    } catch {
      throw .invalidWillTopic
    }
  }

  private static func isText(_ string: String) -> Bool {
    string.byteCount <= 0xFFFF && UTF8Text.isValid(string.bytes.span)
  }
}

extension String {
  var byteCount: Int { withBytes { $0.count } }
}
