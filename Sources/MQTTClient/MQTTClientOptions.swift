// Who imports the client needs the names in its interface: QoS, refusals, reasons.
@_exported import MQTTCodec

public typealias MQTTQoS = MQTTCodec.QoS
public typealias MQTTRefusal = MQTTCodec.ConnackCode
public typealias MQTTMalformedPacket = MQTTCodec.MalformedPacket

/// What the server publishes for us when the connection is lost.
public struct MQTTWill: Sendable {
  public var topic: String
  public var payload: [UInt8]
  public var qos: MQTTQoS
  public var retain: Bool

  public init(topic: String, payload: [UInt8], qos: MQTTQoS = .atMostOnce, retain: Bool = false) {
    self.topic = topic
    self.payload = payload
    self.qos = qos
    self.retain = retain
  }
}

/// How a client introduces itself and how much memory it may use. All of it is allocated at init.
public struct MQTTClientOptions: Sendable {
  /// Every server takes 1…23 letters and digits, most take more. Empty: the server picks one.
  public var clientID: String
  public var username: String?
  /// Needs a user name.
  public var password: [UInt8]?
  /// Seconds between signs of life, 0 for none. A dead peer is found within 1.5 times that.
  public var keepAlive: UInt16 = 60
  /// The server forgets subscriptions and undelivered messages when the connection ends.
  public var cleanSession = true
  public var will: MQTTWill?

  /// Bytes of the longest packet that is delivered; longer messages are reported and skipped.
  public var receiveCapacity = 4096
  /// Bytes queued for the socket; a burst between two writes must fit.
  public var sendCapacity = 4096
  /// Bytes of QoS 1 and 2 messages (topic and payload) that are kept until the server has them, each
  /// with 16 bytes of book-keeping and rounded up to 16.
  public var outboxCapacity = 8192
  /// QoS 1 and 2 messages sent and not yet settled; more wait in the outbox.
  public var maxInFlight = 16

  /// Which messages are kept on disk when `publish` does not say; the first rule that matches counts.
  public var durability: [MQTTDurabilityRule] = []
  /// Which message goes when the store is full.
  public var dropPolicy = MQTTDropPolicy.oldest

  /// Milliseconds for opening the transport and the server's answer together.
  public var connectTimeout: UInt64 = 10_000
  /// Shortest wait before a new attempt, milliseconds.
  public var backoffMinimum: UInt64 = 500
  /// Longest wait before a new attempt, milliseconds.
  public var backoffMaximum: UInt64 = 60_000
  /// Seed of the jitter: two devices with the same seed come back at the same moments.
  public var randomSeed: UInt64

  public init(clientID: String, randomSeed: UInt64) {
    self.clientID = clientID
    self.randomSeed = randomSeed
  }
}

/// Why options cannot be used.
public enum MQTTOptionsError: Error, Equatable, Sendable {
  /// A string is longer than 65,535 bytes or contains U+0000.
  case invalidString
  /// An empty client identifier needs a clean session ([MQTT-3.1.3-7]).
  case emptyClientID
  /// A password needs a user name ([MQTT-3.1.2-22]).
  case passwordWithoutUsername
  /// The will's topic is not a topic name.
  case invalidWillTopic
  /// A capacity is negative, zero or too small for one packet.
  case invalidCapacity
}
