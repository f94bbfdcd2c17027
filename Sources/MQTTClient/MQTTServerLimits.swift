import MQTTCodec

/// What the server of a connection can do, as its `CONNACK` says (MQTT 5.0, section 3.2.2.3).
public struct MQTTServerLimits: Equatable, Sendable {
  /// QoS 1 and 2 messages that it takes before it has settled the first of them.
  public internal(set) var receiveMaximum = UInt16.max
  public internal(set) var maximumQoS = MQTTQoS.exactlyOnce
  public internal(set) var retainAvailable = true
  /// Bytes of the longest packet that it takes.
  public internal(set) var maximumPacketSize = UInt32.max
  public internal(set) var topicAliasMaximum: UInt16 = 0
  public internal(set) var wildcardSubscriptionAvailable = true
  public internal(set) var subscriptionIdentifierAvailable = true
  public internal(set) var sharedSubscriptionAvailable = true
  /// Seconds between signs of life, when it wants others than we asked for.
  public internal(set) var keepAlive: UInt16?
  /// Seconds that it keeps the session, when these are others than we asked for.
  public internal(set) var sessionExpiry: UInt32?

  mutating func take(_ property: Property) {
    switch property.id {
    case .receiveMaximum: receiveMaximum = UInt16(truncatingIfNeeded: property.number)
    case .maximumQoS: maximumQoS = property.number == 0 ? .atMostOnce : .atLeastOnce
    case .retainAvailable: retainAvailable = property.number != 0
    case .maximumPacketSize: maximumPacketSize = property.number
    case .topicAliasMaximum: topicAliasMaximum = UInt16(truncatingIfNeeded: property.number)
    case .wildcardSubscriptionAvailable: wildcardSubscriptionAvailable = property.number != 0
    case .subscriptionIdentifierAvailable: subscriptionIdentifierAvailable = property.number != 0
    case .sharedSubscriptionAvailable: sharedSubscriptionAvailable = property.number != 0
    case .serverKeepAlive: keepAlive = UInt16(truncatingIfNeeded: property.number)
    case .sessionExpiryInterval: sessionExpiry = property.number
    default: break
    }
  }
}

/// Another server to go to (MQTT 5.0, section 4.11).
public struct MQTTRedirection: Equatable, Sendable {
  /// Servers, separated by spaces, each `host` or `host:port`, as the server wrote it: UTF-8.
  public internal(set) var reference: [UInt8]
  /// Not only for now.
  public internal(set) var isPermanent: Bool
}
