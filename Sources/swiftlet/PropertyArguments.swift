import ArgumentParser
import MQTTAsync

/// `-D PACKET NAME VALUE`, mosquitto's way of naming properties.
struct PropertyArguments {
  private var lists: [String: PropertyList] = [:]
  private(set) var message = MQTTMessageProperties()
  private(set) var subscribeUsers: [MQTTMessageProperties.UserProperty] = []
  private(set) var unsubscribeUsers: [MQTTMessageProperties.UserProperty] = []
  private(set) var subscriptionIdentifier: UInt32?
  private(set) var willDelay: UInt32?
  private var sessionExpiry: UInt32?
  private var receiveMaximum: UInt16?
  private var topicAliasMaximum: UInt16?
  private var maximumPacketSize: UInt32?

  private static let names: [String: PropertyID] = [
    "payload-format-indicator": .payloadFormatIndicator, "message-expiry-interval": .messageExpiryInterval,
    "content-type": .contentType, "response-topic": .responseTopic, "correlation-data": .correlationData,
    "session-expiry-interval": .sessionExpiryInterval, "will-delay-interval": .willDelayInterval,
    "request-problem-information": .requestProblemInformation,
    "request-response-information": .requestResponseInformation, "receive-maximum": .receiveMaximum,
    "topic-alias-maximum": .topicAliasMaximum, "maximum-packet-size": .maximumPacketSize,
    "user-property": .userProperty, "subscription-identifier": .subscriptionIdentifier,
  ]
  private static let owners: [String: PropertyOwner] = [
    "connect": .connect, "publish": .publish, "subscribe": .subscribe, "unsubscribe": .unsubscribe,
    "will": .will,
  ]

  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    while let packet = rest.popFirst() {
      guard let owner = Self.owners[packet.lowercased()] else {
        throw ValidationError(
          "-D \(packet): properties are of connect, publish, subscribe, unsubscribe or will")
      }
      guard let name = rest.popFirst(), let id = Self.names[name.lowercased()] else {
        let known = Self.names.keys.sorted().joined(separator: ", ")
        throw ValidationError("-D \(packet): the name of a property has to follow: \(known)")
      }
      guard id.isAllowed(in: owner) else { throw ValidationError("-D: \(packet) has no \(name)") }
      guard let value = rest.popFirst() else {
        throw ValidationError("-D \(packet) \(name): the value is missing")
      }
      if id == .userProperty {
        guard let second = rest.popFirst() else {
          throw ValidationError("-D \(packet) user-property: write NAME VALUE")
        }
        try add(owner, packet, .init(name: value, value: second))
      } else {
        try add(owner, packet, id, name, value)
      }
    }
  }

  func list(_ owner: PropertyOwner) -> PropertyList {
    lists[owner == .will ? "will" : "connect"] ?? PropertyList()
  }

  func apply(to options: inout MQTTClientOptions) throws {
    options.properties = list(.connect)
    if let sessionExpiry { options.sessionExpiry = sessionExpiry }
    if let receiveMaximum { options.receiveMaximum = receiveMaximum }
    if let topicAliasMaximum { options.topicAliasMaximum = topicAliasMaximum }
    if let maximumPacketSize { options.maximumPacketSize = maximumPacketSize }
  }

  private mutating func add(
    _ owner: PropertyOwner, _ packet: String, _ pair: MQTTMessageProperties.UserProperty
  ) throws {
    switch owner {
    case .publish: message.userProperties.append(pair)
    case .subscribe: subscribeUsers.append(pair)
    case .unsubscribe: unsubscribeUsers.append(pair)
    default: try lists[packet.lowercased(), default: PropertyList()].append(user: pair.name, pair.value)
    }
  }

  private mutating func add(
    _ owner: PropertyOwner, _ packet: String, _ id: PropertyID, _ name: String, _ value: String
  ) throws {
    var number: UInt32 = 0
    switch id.kind {
    case .string, .binary: break
    default:
      let isIdentifier = id == .subscriptionIdentifier
      let least: UInt32 = isIdentifier ? 1 : 0
      let most: UInt32 =
        isIdentifier ? 268_435_455 : id.kind == .byte ? 1 : id.kind == .twoByteInteger ? 65_535 : .max
      guard let given = UInt32(value), given >= least, given <= most else {
        throw ValidationError("-D \(packet) \(name) \(value): write a number from \(least) to \(most)")
      }
      number = given
    }
    if owner == .publish { return add(id, number, value) }
    switch id {
    case .subscriptionIdentifier: subscriptionIdentifier = number
    case .willDelayInterval: willDelay = number
    case .sessionExpiryInterval: sessionExpiry = number
    case .receiveMaximum: receiveMaximum = UInt16(number)
    case .topicAliasMaximum: topicAliasMaximum = UInt16(number)
    case .maximumPacketSize: maximumPacketSize = number
    default:
      switch id.kind {
      case .string, .binary: try lists[packet.lowercased(), default: PropertyList()].append(id, value)
      default: lists[packet.lowercased(), default: PropertyList()].append(id, number)
      }
    }
  }

  private mutating func add(_ id: PropertyID, _ number: UInt32, _ value: String) {
    switch id {
    case .payloadFormatIndicator: message.isUTF8 = number == 1
    case .messageExpiryInterval: message.expiry = number
    case .contentType: message.contentType = value
    case .responseTopic: message.responseTopic = value
    default: message.correlationData = Array(value.utf8)
    }
  }
}
