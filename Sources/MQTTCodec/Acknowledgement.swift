/// The packets that carry a packet identifier and, in 3.1.1, nothing else: `PUBACK`, `PUBREC`,
/// `PUBREL`, `PUBCOMP`, `UNSUBACK`.
public struct Acknowledgement: Equatable, Sendable {
  public var type: PacketType
  public var packetID: UInt16

  public init(_ type: PacketType, packetID: UInt16) {
    self.type = type
    self.packetID = packetID
  }

  /// Bytes of the whole packet.
  public static let encodedLength = 4

  /// Reads the packet identifier out of the body.
  public static func decode(_ body: Span<UInt8>) throws(MalformedPacket) -> UInt16 {
    guard body.count == 2 else { throw .wrongLength }
    let packetID = UInt16(body[unchecked: 0]) << 8 | UInt16(body[unchecked: 1])
    guard packetID != 0 else { throw .zeroPacketID }
    return packetID
  }

  /// Writes the packet, 4 bytes.
  public func encode(into buffer: inout MutableSpan<UInt8>) throws(EncodingError) -> Int {
    let flags = type.fixedFlags ?? 0
    return try PacketWriter.write(type, flags: flags, remaining: 2, into: &buffer) { writer in
      writer.uint16(packetID)
    }
  }
}

/// An acknowledgement of 5.0: `PUBACK`, `PUBREC`, `PUBREL` or `PUBCOMP` with a reason code and properties.
public struct ReasonedAcknowledgement: Equatable, Sendable {
  public var packetID: UInt16
  public var reason: ReasonCode
  /// A range of the body.
  public var properties: Range<Int>

  /// Reads the body; short forms mean success. [MQTT5-3.4.2-1]
  @inline(__always)
  public static func decode(
    _ body: Span<UInt8>, of type: PacketType
  ) throws(MalformedPacket) -> ReasonedAcknowledgement {
    if body.count == 2 {
      return ReasonedAcknowledgement(
        packetID: try Acknowledgement.decode(body), reason: .success, properties: 2..<2)
    }
    guard ProtocolVersion.hasV5 else { throw .wrongLength }
    return try decodeLong(body, of: type)
  }

  @inline(never)
  private static func decodeLong(
    _ body: Span<UInt8>, of type: PacketType
  ) throws(MalformedPacket) -> ReasonedAcknowledgement {
    var cursor = Cursor()
    let packetID = try cursor.packetID(body)
    let reason = ReasonCode(rawValue: try cursor.uint8(body))
    guard reason.isValid(for: type) else { throw .reservedCode }
    guard let owner = PropertyOwner(rawValue: type.rawValue) else { throw .reservedType }
    let properties = cursor.atEnd(body) ? 3..<3 : try cursor.properties(body, for: owner)
    try cursor.requireEnd(body)
    return ReasonedAcknowledgement(packetID: packetID, reason: reason, properties: properties)
  }

  /// Writes the packet in its shortest form.
  public static func encode(
    _ type: PacketType, packetID: UInt16, reason: ReasonCode, properties: Span<UInt8> = Span(),
    into buffer: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    guard reason != .success || properties.count > 0 else {
      return try Acknowledgement(type, packetID: packetID).encode(into: &buffer)
    }
    let size = properties.count > 0 ? try PacketWriter.size(ofProperties: properties.count) : 0
    let flags = type.fixedFlags ?? 0
    return try PacketWriter.write(type, flags: flags, remaining: 3 + size, into: &buffer) { writer in
      writer.uint16(packetID)
      writer.uint8(reason.rawValue)
      if size > 0 { writer.properties(properties) }
    }
  }
}

/// The packets without a body: `PINGREQ`, `PINGRESP`, and `DISCONNECT` of 3.1.1.
public enum EmptyPacket {
  /// Bytes of the whole packet.
  public static let encodedLength = 2

  public static func check(_ body: Span<UInt8>) throws(MalformedPacket) {
    guard body.count == 0 else { throw .wrongLength }
  }

  /// Writes the packet, 2 bytes.
  public static func encode(
    _ type: PacketType, into buffer: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    try PacketWriter.write(type, flags: 0, remaining: 0, into: &buffer) { _ in }
  }
}
