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

  /// The normative statement of MQTT 3.1.1 that was broken.
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
    }
  }

  /// The MQTT 5.0 reason code for it: "malformed packet", or the more precise one.
  public var reasonCode: UInt8 {
    switch self {
    case .protocolName, .protocolVersion: 0x84
    case .invalidFilter: 0x8F
    case .emptyTopic, .wildcardInTopic: 0x90
    default: 0x81
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
