import MQTTCodec

/// What the server publishes for us when the connection is lost.
public struct MQTTWill: Sendable {
  public var topic: String
  public var payload: [UInt8]
  public var qos: MQTTQoS
  public var retain: Bool
  /// 5.0: seconds that the server waits with it; we may be back before.
  public var delay: UInt32 = 0
  /// 5.0: further properties of the message.
  public var properties = PropertyList()

  public init(topic: String, payload: [UInt8], qos: MQTTQoS = .atMostOnce, retain: Bool = false) {
    self.topic = topic
    self.payload = payload
    self.qos = qos
    self.retain = retain
  }
}
