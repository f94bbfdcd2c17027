import MQTTClient

/// A message that came.
public struct MQTTReceivedMessage: Equatable, Sendable {
  public let topic: String
  public let payload: [UInt8]
  public let qos: MQTTQoS
  /// The server kept it for new subscribers; it is not fresh.
  public let retain: Bool
  /// The server may have delivered it before.
  public let duplicate: Bool
  /// 0 at QoS 0.
  public let packetID: UInt16
  /// None in 3.1.1.
  public let properties: MQTTMessageProperties

  /// The payload, if it is UTF-8.
  public var text: String? { String(validating: payload, as: UTF8.self) }
}

/// What a message carries beside topic and payload (MQTT 5.0, section 3.3.2.3). A connection of 3.1.1 leaves
/// it out.
public struct MQTTMessageProperties: Equatable, Sendable {
  public struct UserProperty: Equatable, Sendable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The payload is said to be UTF-8, or said to be bytes.
  public var isUTF8: Bool?
  /// Seconds until nobody wants the message any more.
  public var expiry: UInt32?
  public var contentType: String?
  public var responseTopic: String?
  public var correlationData: [UInt8]?
  public var userProperties: [UserProperty] = []
  /// Of the subscriptions that a received message came for; not sent.
  public internal(set) var subscriptionIdentifiers: [UInt32] = []

  public init() {}

  init(_ bytes: Span<UInt8>) throws(MQTTMalformedPacket) {
    var position = 0
    while let property = try Properties.next(bytes, at: &position) {
      let value = bytes.extracting(property.value)
      switch property.id {
      case .payloadFormatIndicator: isUTF8 = property.number == 1
      case .messageExpiryInterval: expiry = property.number
      case .contentType: contentType = value.text
      case .responseTopic: responseTopic = value.text
      case .correlationData: correlationData = value.bytes
      case .subscriptionIdentifier: subscriptionIdentifiers.append(property.number)
      case .userProperty:
        userProperties.append(
          UserProperty(name: value.text, value: bytes.extracting(property.second).text))
      default: break
      }
    }
  }

  func encoded() throws(MQTTAsyncError) -> [UInt8] {
    var list = PropertyList()
    do {
      if let isUTF8 { list.append(.payloadFormatIndicator, isUTF8 ? 1 : 0) }
      if let expiry { list.append(.messageExpiryInterval, expiry) }
      if let contentType { try list.append(.contentType, contentType) }
      if let responseTopic { try list.append(.responseTopic, responseTopic) }
      if let correlationData { try list.append(.correlationData, correlationData.span) }
      for property in userProperties { try list.append(user: property.name, property.value) }
    } catch {
      throw .invalidProperties
    }
    return list.bytes
  }
}

extension Span<UInt8> {
  var bytes: [UInt8] { withUnsafeBufferPointer { Array($0) } }
  var text: String { withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) } }
}
