/// Reads a packet's fields one after the other. It holds positions only, so that packets decoded with
/// it can be kept: their variable fields are ranges of the bytes they were decoded from.
struct Cursor {
  private(set) var position: Int

  init(position: Int = 0) {
    self.position = position
  }

  mutating func uint8(_ bytes: Span<UInt8>) throws(MalformedPacket) -> UInt8 {
    guard position < bytes.count else { throw .truncated }
    defer { position += 1 }
    return bytes[unchecked: position]
  }

  mutating func uint16(_ bytes: Span<UInt8>) throws(MalformedPacket) -> UInt16 {
    guard bytes.count - position >= 2 else { throw .truncated }
    defer { position += 2 }
    return UInt16(bytes[unchecked: position]) << 8 | UInt16(bytes[unchecked: position + 1])
  }

  mutating func uint32(_ bytes: Span<UInt8>) throws(MalformedPacket) -> UInt32 {
    let high = try uint16(bytes)
    return UInt32(high) << 16 | UInt32(try uint16(bytes))
  }

  mutating func variableByteInteger(_ bytes: Span<UInt8>) throws(MalformedPacket) -> Int {
    guard let number = try VariableByteInteger.decode(bytes, at: position) else { throw .truncated }
    guard VariableByteInteger.length(of: number.value) == number.length else { throw .lengthNotMinimal }
    position += number.length
    return number.value
  }

  /// Properties with their length in front; all are checked. Most packets have none.
  @inline(__always)
  mutating func properties(
    _ bytes: Span<UInt8>, for owner: PropertyOwner
  ) throws(MalformedPacket) -> Range<Int> {
    if position < bytes.count, bytes[unchecked: position] == 0 {
      position += 1
      return Range(uncheckedBounds: (position, position))
    }
    return try someProperties(bytes, for: owner)
  }

  @inline(never)
  private mutating func someProperties(
    _ bytes: Span<UInt8>, for owner: PropertyOwner
  ) throws(MalformedPacket) -> Range<Int> {
    let count = try variableByteInteger(bytes)
    guard bytes.count - position >= count else { throw .truncated }
    let range = Range(uncheckedBounds: (position, position + count))
    try Properties.check(bytes.extracting(range), for: owner)
    position += count
    return range
  }

  mutating func packetID(_ bytes: Span<UInt8>) throws(MalformedPacket) -> UInt16 {
    let identifier = try uint16(bytes)
    guard identifier != 0 else { throw .zeroPacketID }
    return identifier
  }

  /// A field that carries its length in two bytes.
  mutating func field(_ bytes: Span<UInt8>) throws(MalformedPacket) -> Range<Int> {
    let count = Int(try uint16(bytes))
    guard bytes.count - position >= count else { throw .truncated }
    defer { position += count }
    return Range(uncheckedBounds: (position, position + count))
  }

  mutating func string(_ bytes: Span<UInt8>) throws(MalformedPacket) -> Range<Int> {
    let range = try field(bytes)
    guard UTF8Text.isValid(bytes.extracting(range)) else { throw .invalidString }
    return range
  }

  func atEnd(_ bytes: Span<UInt8>) -> Bool { position == bytes.count }

  func requireEnd(_ bytes: Span<UInt8>) throws(MalformedPacket) {
    guard position == bytes.count else { throw .wrongLength }
  }
}
