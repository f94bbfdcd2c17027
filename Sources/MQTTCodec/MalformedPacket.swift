/// Why bytes are not an MQTT packet, or not one that may come now. All of them end the connection
/// ([MQTT-4.8.0-1]); `statement` names the rule that was broken.
public enum MalformedPacket: Error, Equatable, Sendable {
  /// Packet type 0, or 15 before MQTT 5.0.
  case reservedType
  /// The lower half of the first byte is not what the type demands.
  case reservedFlags
  /// The remaining length goes on after its fourth byte.
  case lengthTooLong
  /// The packet is shorter than its fields.
  case truncated
  /// The packet goes on after its last field, or has another length than its type demands.
  case wrongLength
  /// A string is not well-formed UTF-8, or contains U+0000 or a surrogate.
  case invalidString
  /// A topic name is empty.
  case emptyTopic
  /// A topic name contains `#` or `+`.
  case wildcardInTopic
  /// A topic filter is empty or has a wildcard out of place.
  case invalidFilter
  /// QoS 3.
  case invalidQoS
  /// QoS 0 with the DUP flag.
  case duplicateAtMostOnce
  /// Packet identifier 0.
  case zeroPacketID
  /// `CONNECT` names another protocol.
  case protocolName
  /// `CONNECT` asks for a protocol level that is not spoken here.
  case protocolVersion
  /// A reserved flag of `CONNECT` or `CONNACK` is set, or flags contradict each other.
  case contradictoryFlags
  /// A return code that the specification reserves.
  case reservedCode
  /// `SUBSCRIBE`, `UNSUBSCRIBE` or `SUBACK` without an entry.
  case emptyList
  /// `SUBACK` or `UNSUBACK` with more or fewer answers than filters were asked for.
  case wrongCount
  /// A length or number takes more bytes than it needs (5.0).
  case lengthNotMinimal
  /// A property with an identifier that does not exist (5.0).
  case unknownProperty
  /// A property that a packet of that type may not carry (5.0).
  case propertyNotAllowed
  /// A property that may be there once only (5.0).
  case duplicateProperty
  /// A property with a value that it may not have, or without another that it needs (5.0).
  case propertyValue
  /// A topic alias of 0, above what was allowed, or of no topic (5.0).
  case topicAlias
  /// Reserved bits of a subscription's options are set (5.0).
  case subscriptionOptions

  /// The normative statement that was broken: of MQTT 3.1.1, or of 5.0 where 3.1.1 has none.
  public var statement: StaticString {
    switch self {
    case .reservedType, .lengthTooLong, .truncated, .wrongLength: "MQTT-4.8.0-1"
    case .reservedFlags: "MQTT-2.2.2-2"
    case .invalidString: "MQTT-1.5.3-1"
    case .emptyTopic: "MQTT-4.7.3-1"
    case .wildcardInTopic: "MQTT-3.3.2-2"
    case .invalidFilter: "MQTT-4.7.1-2"
    case .invalidQoS: "MQTT-3.3.1-4"
    case .duplicateAtMostOnce: "MQTT-3.3.1-2"
    case .zeroPacketID: "MQTT-2.3.1-1"
    case .protocolName: "MQTT-3.1.2-1"
    case .protocolVersion: "MQTT-3.1.2-2"
    case .contradictoryFlags: "MQTT-3.1.2-3"
    case .reservedCode: "MQTT-3.9.3-2"
    case .emptyList: "MQTT-3.8.3-3"
    case .wrongCount: "MQTT-3.8.4-5"
    case .lengthNotMinimal: "MQTT5-1.5.5-1"
    case .unknownProperty, .propertyNotAllowed, .duplicateProperty, .propertyValue: "MQTT5-4.13.1-1"
    case .topicAlias: "MQTT5-3.3.2-8"
    case .subscriptionOptions: "MQTT5-3.8.3-5"
    }
  }

  /// The MQTT 5.0 reason code for it: "malformed packet", or the more precise one.
  public var reasonCode: ReasonCode {
    switch self {
    case .protocolName, .protocolVersion: .unsupportedProtocolVersion
    case .invalidFilter: .topicFilterInvalid
    // "Topic Name invalid" is for names that are well formed and not wanted.
    case .emptyTopic, .wildcardInTopic, .zeroPacketID, .duplicateProperty, .propertyValue, .emptyList,
      .wrongCount:
      .protocolError
    case .topicAlias: .topicAliasInvalid
    default: .malformedPacket
    }
  }
}

/// Why a packet was not written.
public enum EncodingError: Error, Equatable, Sendable {
  /// The buffer has no room for it; nothing was written.
  case bufferTooSmall
  /// A string or binary field is longer than 65,535 bytes.
  case fieldTooLong
  /// The packet is longer than 268,435,455 bytes after its fixed header.
  case packetTooLong
}
