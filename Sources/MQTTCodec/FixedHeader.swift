/// The first two to five bytes of every packet: type, flags and how much follows.
public struct FixedHeader: Equatable, Sendable {
  public var type: PacketType
  /// The lower half of the first byte, checked against what the type demands.
  public var flags: UInt8
  /// Bytes of this header, 2…5.
  public var length: Int
  /// Bytes that follow this header.
  public var remaining: Int

  public init(type: PacketType, flags: UInt8, length: Int, remaining: Int) {
    self.type = type
    self.flags = flags
    self.length = length
    self.remaining = remaining
  }

  /// Bytes of the whole packet.
  public var packetLength: Int { length + remaining }

  /// Whether the remaining length takes no more bytes than it needs, as 5.0 demands ([MQTT5-1.5.5-1]).
  public var isMinimal: Bool { VariableByteInteger.length(of: remaining) == length - 1 }

  /// Reads the header at the start of `bytes`; nil while it is not complete. Says no as early as the
  /// bytes allow, so that no more is read of a packet that cannot become valid. Constant cost.
  ///
  /// [MQTT-2.2.2-1], [MQTT-2.2.2-2], section 2.2.3
  public static func decode(_ bytes: Span<UInt8>) throws(MalformedPacket) -> FixedHeader? {
    guard bytes.count > 0 else { return nil }
    let first = bytes[unchecked: 0]
    guard let type = PacketType(rawValue: first >> 4) else { throw .reservedType }
    let flags = first & 0x0F
    if let fixed = type.fixedFlags {
      guard flags == fixed else { throw .reservedFlags }
    } else {
      guard flags & 0b0110 != 0b0110 else { throw .invalidQoS }
      guard flags & 0b1110 != 0b1000 else { throw .duplicateAtMostOnce }
    }
    if bytes.count > 1, bytes[unchecked: 1] < 0x80 {
      return FixedHeader(type: type, flags: flags, length: 2, remaining: Int(bytes[unchecked: 1]))
    }
    guard let number = try VariableByteInteger.decode(bytes, at: 1) else { return nil }
    return FixedHeader(type: type, flags: flags, length: 1 + number.length, remaining: number.value)
  }
}
