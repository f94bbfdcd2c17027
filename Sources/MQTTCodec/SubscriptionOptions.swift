/// What a subscriber wants to get and how: the byte behind each filter of a `SUBSCRIBE`. 3.1.1 knows the
/// QoS only.
public struct SubscriptionOptions: Equatable, Sendable {
  /// Whether retained messages come when a subscription is made.
  public enum RetainHandling: UInt8, Sendable {
    case send = 0
    case sendIfNew = 1
    case doNotSend = 2
  }

  public var qos: QoS
  /// Messages of our own are not sent to us. Not for shared subscriptions ([MQTT5-3.8.3-4]).
  public var noLocal: Bool
  /// The retain flag comes as the publisher set it.
  public var retainAsPublished: Bool
  public var retainHandling: RetainHandling

  public init(
    qos: QoS, noLocal: Bool = false, retainAsPublished: Bool = false, retainHandling: RetainHandling = .send
  ) {
    self.qos = qos
    self.noLocal = noLocal
    self.retainAsPublished = retainAsPublished
    self.retainHandling = retainHandling
  }

  public var rawValue: UInt8 {
    qos.rawValue | (noLocal ? 0b100 : 0) | (retainAsPublished ? 0b1000 : 0) | retainHandling.rawValue << 4
  }

  static func decode(
    _ byte: UInt8, _ version: ProtocolVersion
  ) throws(MalformedPacket) -> SubscriptionOptions {
    guard let qos = QoS(rawValue: byte & 0b11) else { throw .invalidQoS }
    guard version.isV5 else {
      guard byte & ~0b11 == 0 else { throw .invalidQoS }
      return SubscriptionOptions(qos: qos)
    }
    guard byte & 0b1100_0000 == 0, let handling = RetainHandling(rawValue: byte >> 4) else {
      throw .subscriptionOptions
    }
    return SubscriptionOptions(
      qos: qos, noLocal: byte & 0b100 != 0, retainAsPublished: byte & 0b1000 != 0, retainHandling: handling)
  }
}
