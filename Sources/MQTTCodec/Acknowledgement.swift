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

/// The packets without a body: `PINGREQ`, `PINGRESP`, `DISCONNECT`.
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
