import MQTTCodec

/// What a client has to tell; pulled with `nextEvent`.
public enum MQTTEvent: Sendable {
  /// The server accepted us. Subscriptions are made and kept messages resent without further doing.
  case connected(sessionPresent: Bool)
  /// The server refused us; the next attempt follows by itself, late if somebody has to change a
  /// configuration first. The codes of 3.1.1 are told as those of 5.0 that mean the same.
  case refused(MQTTReasonCode)
  /// An attempt ended before the server accepted it; the next one follows by itself.
  case connectionFailed(MQTTDisconnectReason)
  /// The connection is lost or closed; unless that was asked for, the next attempt follows by itself.
  case disconnected(MQTTDisconnectReason)
  /// A message; read it with `withMessage` before the next call.
  case message(MQTTMessage)
  /// A message longer than the receive buffer is being skipped; `withMessage` gives its topic, as far
  /// as that fits, and an empty payload.
  case oversized(MQTTMessage, payloadLength: Int)
  /// The server has the message of that packet identifier: `PUBACK` at QoS 1, `PUBCOMP` at QoS 2.
  case published(packetID: UInt16)
  /// The message of that packet identifier is out of the outbox, and the server may not have it.
  case publishFailed(packetID: UInt16, MQTTPublishFailure)
  case subscribed(MQTTSubscription, MQTTQoS)
  /// The server did not take the filter, or is known not to take such filters.
  case subscriptionRefused(MQTTSubscription, MQTTReasonCode)
  /// The filter is out of the table, and its number may be given again. An error code: the server did not
  /// forget it.
  case unsubscribed(MQTTSubscription, MQTTReasonCode)
  /// What `reauthenticate` began is done.
  case reauthenticated
  /// The store cannot keep what it is given: messages survive lost connections only, until it can again.
  case storeFailed(MQTTStoreError)
}

/// A received message that lies in the client's buffer.
public struct MQTTMessage: Sendable {
  public let qos: MQTTQoS
  /// The server kept it for new subscribers; it is not fresh.
  public let retain: Bool
  /// The server may have delivered it before.
  public let duplicate: Bool
  public let packetID: UInt16

  /// The alias that stands for the topic, 0 when the topic is there.
  let topicAlias: UInt16
  let topicCount: UInt16
  let topicStart: Int32
  /// They end where the payload starts.
  let propertiesCount: Int32
  let payloadStart: Int32
  let payloadCount: Int32
  /// Tells a message that is still in the buffer from one that is gone.
  let serial: UInt32
}

/// Why a connection or an attempt ended.
public enum MQTTDisconnectReason: Error, Equatable, Sendable {
  /// `disconnect` was called.
  case requested
  /// The transport could not be opened, failed, or the server closed it.
  case transportClosed
  /// No transport or no `CONNACK` in time.
  case connectTimeout
  /// The peer gave no sign of life.
  case keepAliveTimeout
  /// The server answers, and one acknowledgement has not come in time.
  case acknowledgementTimeout
  /// The server sent bytes that are no MQTT.
  case malformed(MQTTMalformedPacket)
  /// The server sent a packet that may not come now; its type's number.
  case unexpectedPacket(UInt8)
  /// A packet other than a message that is longer than the receive buffer; its type's number.
  case packetTooLarge(UInt8)
  /// 5.0: the server broke a rule; what it is told.
  case violation(MQTTReasonCode)
  /// 5.0: the server closed, and said why. It closes with `.sessionTakenOver` when another client came
  /// with our client identifier.
  case server(MQTTReasonCode)
  /// 5.0: our authenticator is not satisfied with the server.
  case authenticationFailed
  /// The server closed several connections in a row soon after it had accepted them. Perhaps another
  /// client has our client identifier: 3.1.1 has no word for that.
  case closedEarly
}

/// Why a message that was accepted did not reach the server for certain.
public enum MQTTPublishFailure: Equatable, Sendable {
  /// The QoS 2 message went out, and the server has lost the session before it said anything: sent again,
  /// the message might arrive twice.
  case sessionLost
  /// Its Message Expiry Interval was over before it could be sent.
  case expired
  /// The server refused it, or is known not to take such messages.
  case refused(MQTTReasonCode)
}

/// Why a message was not taken. All but the caller's mistakes count as dropped.
public enum MQTTPublishError: Error, Equatable, Sendable {
  /// QoS 0 is not kept for later.
  case notConnected
  /// The bytes queued for the socket fill their buffer: write first.
  case outputFull
  /// The server has not acknowledged enough: messages of QoS 1 and 2 fill the outbox.
  case outboxFull
  /// The disk cannot keep it.
  case storeFailed(MQTTStoreError)
  /// The message would not even fit into empty buffers.
  case tooLarge
  case invalidTopic(MQTTMalformedPacket)
  /// The properties are none, or a `PUBLISH` of a client may not carry them.
  case invalidProperties
  /// The server said that it does not take such messages: its QoS, retained ones, or that long.
  case unsupported(MQTTReasonCode)
}

/// Why a subscription was not taken.
public enum MQTTSubscribeError: Error, Equatable, Sendable {
  case invalidFilter(MQTTMalformedPacket)
  /// The filter would not fit into the send buffer.
  case tooLarge
  /// A subscription identifier of 0 or above 268,435,455, or `noLocal` on a shared subscription.
  case invalidOptions
}

/// A filter in the client's table; numbered from 0 in the order of `subscribe`, free numbers first.
public struct MQTTSubscription: Equatable, Sendable {
  public let index: Int
}

/// What the owner of the socket has to do.
public enum MQTTTransportRequest: Equatable, Sendable {
  case none
  /// Open a connection, then call `transportOpened` or `transportClosed`. Stays until then.
  case open
  /// Close it, or give up opening it, then call `transportClosed`. Stays until then.
  case close
}

/// What happened since init. All wrap around.
public struct MQTTCounters: Equatable, Sendable {
  /// Messages accepted by `publish`.
  public internal(set) var sent: UInt32 = 0
  /// Messages delivered.
  public internal(set) var received: UInt32 = 0
  /// Messages that `publish` refused for want of a connection or of room, and those that the store dropped.
  public internal(set) var dropped: UInt32 = 0
  /// Times the store failed.
  public internal(set) var storeFailures: UInt32 = 0
  /// Records of the store that were none, and have been removed.
  public internal(set) var damagedRecords: UInt32 = 0
  /// Messages that have come to their end at the server.
  public internal(set) var settled: UInt32 = 0
  /// Messages skipped for their length.
  public internal(set) var oversized: UInt32 = 0
  /// Packets with a mistake that were passed over, because the server had made one on the connection before.
  public internal(set) var malformed: UInt32 = 0
  /// Messages that got a topic alias instead of their topic.
  public internal(set) var aliased: UInt32 = 0
  /// Times the server accepted us.
  public internal(set) var connections: UInt32 = 0
  /// Times the server accepted us after an earlier connection was lost.
  public internal(set) var reconnects: UInt32 = 0
}

extension MQTTDisconnectReason {
  /// What a server of 5.0 is told when the connection is closed for that; nil: nothing.
  var reasonCode: MQTTReasonCode? {
    switch self {
    case .malformed(let packet): packet.reasonCode
    case .unexpectedPacket: .protocolError
    case .packetTooLarge: .packetTooLarge
    case .violation(let code): code
    case .authenticationFailed: .unspecifiedError
    case .requested, .transportClosed, .connectTimeout, .keepAliveTimeout, .acknowledgementTimeout, .server,
      .closedEarly:
      nil
    }
  }
}
