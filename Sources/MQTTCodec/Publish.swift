/// `PUBLISH`: a message. Topic, properties and payload of a decoded one are ranges of its body.
public struct Publish: Equatable, Sendable {
  public var qos: QoS
  public var retain: Bool
  /// The sender tried before.
  public var duplicate: Bool
  /// 0 at QoS 0.
  public var packetID: UInt16
  /// Empty in 5.0 when an alias stands for it.
  public var topic: Range<Int>
  /// Empty in 3.1.1.
  public var properties: Range<Int>
  public var payload: Range<Int>

  /// The DUP bit of a packet's first byte.
  public static let duplicateFlag: UInt8 = 0b1000

  /// Reads the body of a 3.1.1 packet; `flags` are those of its header. Linear in the topic, constant in
  /// the payload.
  ///
  /// [MQTT-2.3.1-1], [MQTT-2.3.1-5], [MQTT-3.3.1-2], [MQTT-3.3.1-4], [MQTT-3.3.2-1], [MQTT-3.3.2-2]
  @inline(__always)
  public static func decode(
    _ body: Span<UInt8>, flags: UInt8
  ) throws(MalformedPacket) -> Publish {
    let count = body.count
    guard count >= 2 else { throw .truncated }
    let topicEnd = 2 + (Int(body[unchecked: 0]) << 8 | Int(body[unchecked: 1]))
    guard let qos = QoS(rawValue: flags >> 1 & 0b11) else { throw .invalidQoS }
    var payloadStart = topicEnd
    if qos != .atMostOnce { payloadStart += 2 }
    guard payloadStart <= count else { throw .truncated }
    let topic = Range(uncheckedBounds: (2, topicEnd))
    try TopicName.check(body.extracting(unchecked: topic))
    var packetID: UInt16 = 0
    if qos != .atMostOnce {
      packetID = UInt16(body[unchecked: topicEnd]) << 8 | UInt16(body[unchecked: topicEnd + 1])
      guard packetID != 0 else { throw .zeroPacketID }
    }
    return Publish(
      qos: qos, retain: flags & 1 != 0, duplicate: flags & duplicateFlag != 0, packetID: packetID,
      topic: topic, properties: Range(uncheckedBounds: (payloadStart, payloadStart)),
      payload: Range(uncheckedBounds: (payloadStart, count)))
  }

  /// The same for 5.0. A topic may be empty: then the owner of the aliases has to look for one.
  ///
  /// [MQTT5-2.2.1-2], [MQTT5-3.3.1-2], [MQTT5-3.3.1-4], [MQTT5-3.3.2-1], [MQTT5-3.3.2-2], [MQTT5-3.3.2-14]
  @inline(__always)
  public static func decodeV5(
    _ body: Span<UInt8>, flags: UInt8
  ) throws(MalformedPacket) -> Publish {
    let count = body.count
    guard count >= 2 else { throw .truncated }
    let topicEnd = 2 + (Int(body[unchecked: 0]) << 8 | Int(body[unchecked: 1]))
    guard let qos = QoS(rawValue: flags >> 1 & 0b11) else { throw .invalidQoS }
    let propertiesStart = topicEnd + (qos == .atMostOnce ? 0 : 2)
    guard propertiesStart < count else { throw .truncated }
    let topic = Range(uncheckedBounds: (2, topicEnd))
    if topicEnd > 2 { try TopicName.check(body.extracting(unchecked: topic)) }
    var packetID: UInt16 = 0
    if qos != .atMostOnce {
      packetID = UInt16(body[unchecked: topicEnd]) << 8 | UInt16(body[unchecked: topicEnd + 1])
      guard packetID != 0 else { throw .zeroPacketID }
    }
    var cursor = Cursor(position: propertiesStart)
    let properties = try cursor.properties(body, for: .publish)
    return Publish(
      qos: qos, retain: flags & 1 != 0, duplicate: flags & duplicateFlag != 0, packetID: packetID,
      topic: topic, properties: properties, payload: Range(uncheckedBounds: (cursor.position, count)))
  }

  /// Bytes of the whole packet; nil when no packet is that long. Constant.
  @inlinable
  public static func encodedLength(topicCount: Int, payloadCount: Int, qos: QoS) -> Int? {
    guard topicCount <= 0xFFFF, payloadCount <= VariableByteInteger.max else { return nil }
    let remaining = 2 + topicCount + payloadCount + (qos == .atMostOnce ? 0 : 2)
    guard let length = VariableByteInteger.length(of: remaining) else { return nil }
    return 1 + length + remaining
  }

  /// Writes the packet and answers its length. The topic is not checked here (`TopicName.check`).
  /// Two copies, of topic and payload. `packetID` counts at QoS 1 and 2 only.
  public static func encode(
    topic: Span<UInt8>, payload: Span<UInt8>, qos: QoS, retain: Bool, duplicate: Bool = false,
    packetID: UInt16 = 0, into buffer: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    guard topic.count <= 0xFFFF else { throw .fieldTooLong }
    let flags = qos.rawValue << 1 | (retain ? 1 : 0) | (duplicate ? duplicateFlag : 0)
    let remaining = 2 + topic.count + payload.count + (qos == .atMostOnce ? 0 : 2)
    return try PacketWriter.write(.publish, flags: flags, remaining: remaining, into: &buffer) { writer in
      writer.field(topic)
      if qos != .atMostOnce { writer.uint16(packetID) }
      writer.bytes(payload)
    }
  }

  /// Bytes of the whole 5.0 packet; nil when no packet is that long. Constant.
  @inlinable
  public static func encodedLengthV5(
    topicCount: Int, payloadCount: Int, propertiesCount: Int, qos: QoS
  ) -> Int? {
    guard topicCount <= 0xFFFF, payloadCount <= VariableByteInteger.max,
      let length = VariableByteInteger.length(of: propertiesCount)
    else { return nil }
    let remaining = 2 + topicCount + payloadCount + length + propertiesCount + (qos == .atMostOnce ? 0 : 2)
    return VariableByteInteger.length(of: remaining).map { 1 + $0 + remaining }
  }

  /// Writes a 5.0 packet and answers its length. Properties are given encoded; `topicAlias` is put in
  /// front of them unless it is 0. Neither topic nor properties are checked here.
  public static func encodeV5(
    topic: Span<UInt8>, properties: Span<UInt8>, payload: Span<UInt8>, qos: QoS, retain: Bool,
    duplicate: Bool = false, packetID: UInt16 = 0, topicAlias: UInt16 = 0,
    into buffer: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    guard topic.count <= 0xFFFF else { throw .fieldTooLong }
    let flags = qos.rawValue << 1 | (retain ? 1 : 0) | (duplicate ? duplicateFlag : 0)
    let propertiesCount = properties.count + (topicAlias == 0 ? 0 : 3)
    let fields = 2 + topic.count + (qos == .atMostOnce ? 0 : 2)
    let remaining = fields + (try PacketWriter.size(ofProperties: propertiesCount)) + payload.count
    return try PacketWriter.write(.publish, flags: flags, remaining: remaining, into: &buffer) { writer in
      writer.field(topic)
      if qos != .atMostOnce { writer.uint16(packetID) }
      writer.variableByteInteger(propertiesCount)
      if topicAlias != 0 {
        writer.uint8(PropertyID.topicAlias.rawValue)
        writer.uint16(topicAlias)
      }
      writer.bytes(properties)
      writer.bytes(payload)
    }
  }
}
