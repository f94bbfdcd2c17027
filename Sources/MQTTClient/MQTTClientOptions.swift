// Who imports the client needs the names in its interface: QoS, reason codes, properties.
@_exported import MQTTCodec

public typealias MQTTQoS = MQTTCodec.QoS
public typealias MQTTVersion = MQTTCodec.ProtocolVersion
public typealias MQTTReasonCode = MQTTCodec.ReasonCode
public typealias MQTTMalformedPacket = MQTTCodec.MalformedPacket

/// How a client introduces itself and how much memory it may use. All of it is allocated at init.
public struct MQTTClientOptions: Sendable {
  /// Every server takes 1…23 letters and digits, most take more. Empty: the server picks one.
  public var clientID: String
  public var username: String?
  /// Needs a user name.
  public var password: [UInt8]?
  /// Seconds between signs of life, 0 for none. A dead peer is found within 1.5 times that.
  public var keepAlive: UInt16 = 60
  /// The server forgets subscriptions and undelivered messages when the connection ends; with MQTT 5.0,
  /// after `sessionExpiry`.
  public var cleanSession = true
  public var will: MQTTWill?

  /// The protocol to begin with. A client that was built without 5.0 begins with 3.1.1 where it may fall back.
  public var version = MQTTVersion.v5
  /// A server that does not speak 5.0 is spoken to in 3.1.1 from then on. Properties, and all that is
  /// said to be of 5.0, have no effect then.
  public var fallsBack = true
  /// 5.0: seconds that the server keeps the session after a connection has ended, `UInt32.max` for ever.
  /// Nil: for ever, or not at all with `cleanSession`. With `cleanSession` and a time, the session is new
  /// when the client starts and kept over the connections that it loses.
  public var sessionExpiry: UInt32?
  /// 5.0: QoS 1 and 2 messages that the server may send before the first of them is acknowledged.
  public var receiveMaximum: UInt16 = 20
  /// 5.0: bytes of the longest packet that the server may send. It does not deliver longer messages, and
  /// nobody is told; without a maximum, messages that do not fit are reported as `.oversized`.
  public var maximumPacketSize: UInt32?
  /// 5.0: topic aliases that the server may use. The client keeps the topic of each.
  public var topicAliasMaximum: UInt16 = 0
  /// 5.0: topics that we give an alias when the server allows, for shorter packets at the price of some
  /// 200 instructions a message. Those of up to 62 bytes; each takes 64 bytes of memory.
  public var sentTopicAliases: UInt16 = 0
  /// 5.0: further properties of `CONNECT`, such as user properties, request response information and
  /// request problem information. Those that have an option here may not be among them.
  public var properties = PropertyList()

  /// Bytes of the longest packet that is delivered; longer messages are reported and skipped.
  public var receiveCapacity = 4096
  /// Bytes queued for the socket; a burst between two writes must fit.
  public var sendCapacity = 4096
  /// Bytes of QoS 1 and 2 messages (topic, properties and payload) that are kept until the server has them, each
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
  /// Milliseconds for the acknowledgement of what has waited longest for one; then the connection is ended, and the next
  /// one sends it again. 0: for ever.
  public var acknowledgementTimeout: UInt64 = 60_000
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
  /// A password needs a user name in 3.1.1 ([MQTT-3.1.2-22]), and so in whatever may fall back to it.
  case passwordWithoutUsername
  /// The will's topic is not a topic name.
  case invalidWillTopic
  /// A capacity is negative, zero or too small for one packet.
  case invalidCapacity
  /// Properties of `CONNECT` or of the will are no properties, or may not be there.
  case invalidProperties
  /// 5.0 and nothing else is asked for, and was not built in.
  case unavailableVersion
}
