/// `SUBACK`: for each filter the granted QoS or a refusal.
public enum Suback {
  /// What a server says to one filter.
  public enum Answer: Equatable, Sendable {
    case granted(QoS)
    case refused

    init?(code: UInt8) {
      if code == 0x80 {
        self = .refused
      } else if let qos = QoS(rawValue: code) {
        self = .granted(qos)
      } else {
        return nil
      }
    }

    var code: UInt8 {
      switch self {
      case .granted(let qos): qos.rawValue
      case .refused: 0x80
      }
    }
  }

  /// Reads the packet identifier and how many answers follow. All codes are checked. [MQTT-3.9.3-2]
  public static func decode(
    _ body: Span<UInt8>
  ) throws(MalformedPacket) -> (packetID: UInt16, count: Int) {
    var cursor = Cursor()
    let packetID = try cursor.packetID(body)
    guard !cursor.atEnd(body) else { throw .emptyList }
    for index in cursor.position..<body.count where Answer(code: body[index]) == nil {
      throw .reservedCode
    }
    return (packetID, body.count - cursor.position)
  }

  /// The answer to the filter of that index, of a body that `decode` accepted.
  public static func answer(_ body: Span<UInt8>, at index: Int) -> Answer {
    Answer(code: body[2 + index]) ?? .refused
  }

  /// Writes a `SUBACK` with one answer, 5 bytes.
  public static func encode(
    packetID: UInt16, _ answer: Answer, into buffer: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    try PacketWriter.write(.suback, flags: 0, remaining: 3, into: &buffer) { writer in
      writer.uint16(packetID)
      writer.uint8(answer.code)
    }
  }

  /// Writes a `SUBACK` with the answers in `codes` (0, 1, 2 or 0x80 each).
  public static func encode(
    packetID: UInt16, codes: Span<UInt8>, into buffer: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    try PacketWriter.write(.suback, flags: 0, remaining: 2 + codes.count, into: &buffer) { writer in
      writer.uint16(packetID)
      writer.bytes(codes)
    }
  }
}

/// `SUBACK` and `UNSUBACK` of 5.0: a reason code for each filter.
public struct ReasonList: Equatable, Sendable {
  public var packetID: UInt16
  public var properties: Range<Int>
  /// One byte for each filter, in their order.
  public var codes: Range<Int>

  /// Reads the body. [MQTT5-3.9.3-2], [MQTT5-3.11.3-2]
  public static func decode(
    _ body: Span<UInt8>, of type: PacketType
  ) throws(MalformedPacket) -> ReasonList {
    guard let owner = PropertyOwner(rawValue: type.rawValue) else { throw .reservedType }
    var cursor = Cursor()
    let packetID = try cursor.packetID(body)
    let properties = try cursor.properties(body, for: owner)
    let codes = Range(uncheckedBounds: (cursor.position, body.count))
    guard !codes.isEmpty else { throw .emptyList }
    for index in codes where !ReasonCode(rawValue: body[index]).isValid(for: type) { throw .reservedCode }
    return ReasonList(packetID: packetID, properties: properties, codes: codes)
  }

  /// Writes the packet; the codes are not checked here.
  public static func encode(
    _ type: PacketType, packetID: UInt16, properties: Span<UInt8> = Span(), codes: Span<UInt8>,
    into buffer: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    let remaining = 2 + codes.count + (try PacketWriter.size(ofProperties: properties.count))
    return try PacketWriter.write(type, flags: 0, remaining: remaining, into: &buffer) { writer in
      writer.uint16(packetID)
      writer.properties(properties)
      writer.bytes(codes)
    }
  }
}
