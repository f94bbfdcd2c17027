/// `PUBLISH`: a message. Topic and payload of a decoded one are ranges of its body.
public struct Publish: Equatable, Sendable {
  public var qos: QoS
  public var retain: Bool
  /// The sender tried before.
  public var duplicate: Bool
  /// 0 at QoS 0.
  public var packetID: UInt16
  public var topic: Range<Int>
  public var payload: Range<Int>

  /// The DUP bit of a packet's first byte.
  public static let duplicateFlag: UInt8 = 0b1000

  /// Reads the body; `flags` are those of its header. Linear in the topic, constant in the payload.
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
      topic: topic, payload: Range(uncheckedBounds: (payloadStart, count)))
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
}
