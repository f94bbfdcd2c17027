/// What became of a packet or a connection (MQTT 5.0, section 2.4). From 0x80 on: it failed.
public struct ReasonCode: RawRepresentable, Equatable, Sendable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  public var isError: Bool { rawValue >= 0x80 }

  public static var success: ReasonCode { ReasonCode(rawValue: 0x00) }
  public static var normalDisconnection: ReasonCode { success }
  public static var grantedQoS0: ReasonCode { success }
  public static var grantedQoS1: ReasonCode { ReasonCode(rawValue: 0x01) }
  public static var grantedQoS2: ReasonCode { ReasonCode(rawValue: 0x02) }
  public static var disconnectWithWillMessage: ReasonCode { ReasonCode(rawValue: 0x04) }
  public static var noMatchingSubscribers: ReasonCode { ReasonCode(rawValue: 0x10) }
  public static var noSubscriptionExisted: ReasonCode { ReasonCode(rawValue: 0x11) }
  public static var continueAuthentication: ReasonCode { ReasonCode(rawValue: 0x18) }
  public static var reauthenticate: ReasonCode { ReasonCode(rawValue: 0x19) }
  public static var unspecifiedError: ReasonCode { ReasonCode(rawValue: 0x80) }
  public static var malformedPacket: ReasonCode { ReasonCode(rawValue: 0x81) }
  public static var protocolError: ReasonCode { ReasonCode(rawValue: 0x82) }
  public static var implementationSpecificError: ReasonCode { ReasonCode(rawValue: 0x83) }
  public static var unsupportedProtocolVersion: ReasonCode { ReasonCode(rawValue: 0x84) }
  public static var clientIdentifierNotValid: ReasonCode { ReasonCode(rawValue: 0x85) }
  public static var badUserNameOrPassword: ReasonCode { ReasonCode(rawValue: 0x86) }
  public static var notAuthorized: ReasonCode { ReasonCode(rawValue: 0x87) }
  public static var serverUnavailable: ReasonCode { ReasonCode(rawValue: 0x88) }
  public static var serverBusy: ReasonCode { ReasonCode(rawValue: 0x89) }
  public static var banned: ReasonCode { ReasonCode(rawValue: 0x8A) }
  public static var serverShuttingDown: ReasonCode { ReasonCode(rawValue: 0x8B) }
  public static var badAuthenticationMethod: ReasonCode { ReasonCode(rawValue: 0x8C) }
  public static var keepAliveTimeout: ReasonCode { ReasonCode(rawValue: 0x8D) }
  public static var sessionTakenOver: ReasonCode { ReasonCode(rawValue: 0x8E) }
  public static var topicFilterInvalid: ReasonCode { ReasonCode(rawValue: 0x8F) }
  public static var topicNameInvalid: ReasonCode { ReasonCode(rawValue: 0x90) }
  public static var packetIdentifierInUse: ReasonCode { ReasonCode(rawValue: 0x91) }
  public static var packetIdentifierNotFound: ReasonCode { ReasonCode(rawValue: 0x92) }
  public static var receiveMaximumExceeded: ReasonCode { ReasonCode(rawValue: 0x93) }
  public static var topicAliasInvalid: ReasonCode { ReasonCode(rawValue: 0x94) }
  public static var packetTooLarge: ReasonCode { ReasonCode(rawValue: 0x95) }
  public static var messageRateTooHigh: ReasonCode { ReasonCode(rawValue: 0x96) }
  public static var quotaExceeded: ReasonCode { ReasonCode(rawValue: 0x97) }
  public static var administrativeAction: ReasonCode { ReasonCode(rawValue: 0x98) }
  public static var payloadFormatInvalid: ReasonCode { ReasonCode(rawValue: 0x99) }
  public static var retainNotSupported: ReasonCode { ReasonCode(rawValue: 0x9A) }
  public static var qosNotSupported: ReasonCode { ReasonCode(rawValue: 0x9B) }
  public static var useAnotherServer: ReasonCode { ReasonCode(rawValue: 0x9C) }
  public static var serverMoved: ReasonCode { ReasonCode(rawValue: 0x9D) }
  public static var sharedSubscriptionsNotSupported: ReasonCode { ReasonCode(rawValue: 0x9E) }
  public static var connectionRateExceeded: ReasonCode { ReasonCode(rawValue: 0x9F) }
  public static var maximumConnectTime: ReasonCode { ReasonCode(rawValue: 0xA0) }
  public static var subscriptionIdentifiersNotSupported: ReasonCode { ReasonCode(rawValue: 0xA1) }
  public static var wildcardSubscriptionsNotSupported: ReasonCode { ReasonCode(rawValue: 0xA2) }
}

extension ReasonCode {
  /// Whether a packet of that type may carry the code. [MQTT5-3.2.2-8], [MQTT5-3.4.2-1],
  /// [MQTT5-3.5.2-1], [MQTT5-3.6.2-1], [MQTT5-3.7.2-1], [MQTT5-3.14.2-1], [MQTT5-3.15.2-1]
  public func isValid(for type: PacketType) -> Bool {
    switch type {
    case .connack: isValidForConnack
    case .puback, .pubrec: isValidForPuback
    case .pubrel, .pubcomp: rawValue == 0 || rawValue == 0x92
    case .suback: isValidForSuback
    case .unsuback: isValidForUnsuback
    case .disconnect: isValidForDisconnect
    case .auth: rawValue == 0 || rawValue == 0x18 || rawValue == 0x19
    default: false
    }
  }

  private var isValidForConnack: Bool {
    switch rawValue {
    case 0, 0x80...0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99...0x9D, 0x9F: true
    default: false
    }
  }

  private var isValidForPuback: Bool {
    switch rawValue {
    case 0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99: true
    default: false
    }
  }

  private var isValidForSuback: Bool {
    switch rawValue {
    case 0...2, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2: true
    default: false
    }
  }

  private var isValidForUnsuback: Bool {
    switch rawValue {
    case 0, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91: true
    default: false
    }
  }

  private var isValidForDisconnect: Bool {
    switch rawValue {
    case 0, 4, 0x80...0x83, 0x87, 0x89, 0x8B, 0x8D...0x90, 0x93...0xA2: true
    default: false
    }
  }
}
