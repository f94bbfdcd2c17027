/// The properties of MQTT 5.0 (section 2.2.2.2) with their identifiers.
public enum PropertyID: UInt8, Sendable {
  case payloadFormatIndicator = 0x01
  case messageExpiryInterval = 0x02
  case contentType = 0x03
  case responseTopic = 0x08
  case correlationData = 0x09
  case subscriptionIdentifier = 0x0B
  case sessionExpiryInterval = 0x11
  case assignedClientIdentifier = 0x12
  case serverKeepAlive = 0x13
  case authenticationMethod = 0x15
  case authenticationData = 0x16
  case requestProblemInformation = 0x17
  case willDelayInterval = 0x18
  case requestResponseInformation = 0x19
  case responseInformation = 0x1A
  case serverReference = 0x1C
  case reasonString = 0x1F
  case receiveMaximum = 0x21
  case topicAliasMaximum = 0x22
  case topicAlias = 0x23
  case maximumQoS = 0x24
  case retainAvailable = 0x25
  case userProperty = 0x26
  case maximumPacketSize = 0x27
  case wildcardSubscriptionAvailable = 0x28
  case subscriptionIdentifierAvailable = 0x29
  case sharedSubscriptionAvailable = 0x2A

  /// How a property's value is written.
  public enum Kind: Sendable {
    case byte
    case twoByteInteger
    case fourByteInteger
    case variableByteInteger
    case string
    case binary
    case stringPair
  }

  public var kind: Kind {
    switch self {
    case .payloadFormatIndicator, .requestProblemInformation, .requestResponseInformation, .maximumQoS,
      .retainAvailable, .wildcardSubscriptionAvailable, .subscriptionIdentifierAvailable,
      .sharedSubscriptionAvailable:
      .byte
    case .serverKeepAlive, .receiveMaximum, .topicAliasMaximum, .topicAlias: .twoByteInteger
    case .messageExpiryInterval, .sessionExpiryInterval, .willDelayInterval, .maximumPacketSize:
      .fourByteInteger
    case .subscriptionIdentifier: .variableByteInteger
    case .contentType, .responseTopic, .assignedClientIdentifier, .authenticationMethod,
      .responseInformation, .serverReference, .reasonString:
      .string
    case .correlationData, .authenticationData: .binary
    case .userProperty: .stringPair
    }
  }

  /// Whether the packet, or the will, may carry it.
  public func isAllowed(in owner: PropertyOwner) -> Bool {
    owners & (1 << UInt16(owner.rawValue)) != 0
  }

  /// A bit for each owner.
  private var owners: UInt16 {
    switch self {
    case .payloadFormatIndicator, .messageExpiryInterval, .contentType, .responseTopic, .correlationData:
      Self.bits(.publish, .will)
    case .topicAlias: Self.bits(.publish)
    case .subscriptionIdentifier: Self.bits(.publish, .subscribe)
    case .willDelayInterval: Self.bits(.will)
    case .sessionExpiryInterval: Self.bits(.connect, .connack) | Self.bits(.disconnect)
    case .receiveMaximum, .topicAliasMaximum, .maximumPacketSize: Self.bits(.connect, .connack)
    case .requestProblemInformation, .requestResponseInformation: Self.bits(.connect)
    case .authenticationMethod, .authenticationData: Self.bits(.connect, .connack) | Self.bits(.auth)
    case .assignedClientIdentifier, .serverKeepAlive, .responseInformation, .maximumQoS, .retainAvailable,
      .wildcardSubscriptionAvailable, .subscriptionIdentifierAvailable, .sharedSubscriptionAvailable:
      Self.bits(.connack)
    case .serverReference: Self.bits(.connack, .disconnect)
    case .reasonString:
      Self.bits(.connack, .puback) | Self.bits(.pubrec, .pubrel) | Self.bits(.pubcomp, .suback)
        | Self.bits(.unsuback, .disconnect) | Self.bits(.auth)
    case .userProperty: .max
    }
  }

  private static func bits(_ first: PropertyOwner, _ second: PropertyOwner? = nil) -> UInt16 {
    let bit: UInt16 = 1 << UInt16(first.rawValue)
    return second.map { bit | 1 << UInt16($0.rawValue) } ?? bit
  }
}

/// What carries properties: the packets, with the numbers of their types, and the will inside a `CONNECT`.
public enum PropertyOwner: UInt8, Sendable {
  case will = 0
  case connect = 1
  case connack = 2
  case publish = 3
  case puback = 4
  case pubrec = 5
  case pubrel = 6
  case pubcomp = 7
  case subscribe = 8
  case suback = 9
  case unsubscribe = 10
  case unsuback = 11
  case disconnect = 14
  case auth = 15
}

/// One property of a packet. Strings and bytes are ranges of what it was read from.
public struct Property: Equatable, Sendable {
  public var id: PropertyID
  /// The value of an integer or a byte, 0 else.
  public var number: UInt32 = 0
  /// A string, bytes, or the name of a user property.
  public var value: Range<Int> = 0..<0
  /// The value of a user property.
  public var second: Range<Int> = 0..<0
}

/// Properties one after the other, without the length in front of them.
public enum Properties {
  /// Reads the property at `position` and moves on; nil at the end. Its strings are checked.
  public static func next(
    _ bytes: Span<UInt8>, at position: inout Int
  ) throws(MalformedPacket) -> Property? {
    guard position < bytes.count else { return nil }
    // All identifiers are below 128: one byte, and a longer form would not be the shortest.
    guard let id = PropertyID(rawValue: bytes[unchecked: position]) else { throw .unknownProperty }
    var cursor = Cursor(position: position + 1)
    var property = Property(id: id)
    switch id.kind {
    case .byte: property.number = UInt32(try cursor.uint8(bytes))
    case .twoByteInteger: property.number = UInt32(try cursor.uint16(bytes))
    case .fourByteInteger: property.number = try cursor.uint32(bytes)
    case .variableByteInteger: property.number = UInt32(try cursor.variableByteInteger(bytes))
    case .string: property.value = try cursor.string(bytes)
    case .binary: property.value = try cursor.field(bytes)
    case .stringPair:
      property.value = try cursor.string(bytes)
      property.second = try cursor.string(bytes)
    }
    position = cursor.position
    return property
  }

  /// Throws unless all properties may be in that packet, with these values, and so often. Linear.
  public static func check(_ bytes: Span<UInt8>, for owner: PropertyOwner) throws(MalformedPacket) {
    var position = 0
    var seen: UInt64 = 0
    while let property = try next(bytes, at: &position) {
      guard property.id.isAllowed(in: owner) else { throw .propertyNotAllowed }
      try checkValue(property, bytes)
      let bit: UInt64 = 1 << UInt64(property.id.rawValue)
      let mayRepeat =
        property.id == .userProperty || property.id == .subscriptionIdentifier && owner == .publish
      guard mayRepeat || seen & bit == 0 else { throw .duplicateProperty }
      seen |= bit
    }
    // Section 3.1.2.11.10: data of an authentication without its method.
    let data: UInt64 = 1 << UInt64(PropertyID.authenticationData.rawValue)
    let method: UInt64 = 1 << UInt64(PropertyID.authenticationMethod.rawValue)
    guard seen & data == 0 || seen & method != 0 else { throw .propertyValue }
  }

  private static func checkValue(_ property: Property, _ bytes: Span<UInt8>) throws(MalformedPacket) {
    switch property.id {
    case .topicAlias:
      guard property.number != 0 else { throw .topicAlias }
    case .receiveMaximum, .maximumPacketSize, .subscriptionIdentifier:
      guard property.number != 0 else { throw .propertyValue }
    case .responseTopic: try TopicName.check(bytes.extracting(property.value))
    default:
      guard property.id.kind != .byte || property.number <= 1 else { throw .propertyValue }
    }
  }
}
