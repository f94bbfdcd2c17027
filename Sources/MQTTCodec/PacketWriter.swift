/// Writes a packet's fields into memory whose size was checked beforehand, once for the whole packet.
struct PacketWriter {
  private var next: UnsafeMutableRawPointer

  private init(_ start: UnsafeMutableRawPointer) {
    next = start
  }

  /// Writes one packet: checks that it fits, writes the fixed header, lets `body` write the rest, but for `later`
  /// bytes that the caller will append. Answers the bytes written.
  @inline(__always)
  static func write(
    _ type: PacketType, flags: UInt8, remaining: Int, later: Int = 0, into buffer: inout MutableSpan<UInt8>,
    _ body: (inout PacketWriter) -> Void
  ) throws(EncodingError) -> Int {
    guard let lengthBytes = VariableByteInteger.length(of: remaining) else { throw .packetTooLong }
    let total = 1 + lengthBytes + remaining
    guard buffer.count >= total else { throw .bufferTooSmall }
    buffer.withUnsafeMutableBytes { raw in
      guard let start = raw.baseAddress else { return }
      var writer = PacketWriter(start)
      writer.uint8(type.rawValue << 4 | flags)
      writer.variableByteInteger(remaining)
      body(&writer)
      assert(writer.next == start + total - later)
    }
    return total - later
  }

  /// Writes what belongs to a packet that is begun.
  @inline(__always)
  static func append(
    _ count: Int, to buffer: inout MutableSpan<UInt8>, _ body: (inout PacketWriter) -> Void
  ) throws(EncodingError) -> Int {
    guard buffer.count >= count else { throw .bufferTooSmall }
    buffer.withUnsafeMutableBytes { raw in
      guard let start = raw.baseAddress else { return }
      var writer = PacketWriter(start)
      body(&writer)
      assert(writer.next == start + count)
    }
    return count
  }

  @inline(__always)
  mutating func uint8(_ value: UInt8) {
    next.storeBytes(of: value, as: UInt8.self)
    next += 1
  }

  @inline(__always)
  mutating func uint16(_ value: UInt16) {
    next.storeBytes(of: value.bigEndian, as: UInt16.self)
    next += 2
  }

  @inline(__always)
  mutating func variableByteInteger(_ value: Int) {
    var rest = value
    while rest > 0x7F {
      uint8(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    uint8(UInt8(truncatingIfNeeded: rest))
  }

  @inline(__always)
  mutating func bytes(_ bytes: Span<UInt8>) {
    bytes.withUnsafeBytes { raw in
      guard let source = raw.baseAddress else { return }
      next.copyMemory(from: source, byteCount: raw.count)
    }
    next += bytes.count
  }

  /// Properties with their length in front.
  @inline(__always)
  mutating func properties(_ encoded: Span<UInt8>) {
    variableByteInteger(encoded.count)
    bytes(encoded)
  }

  /// Bytes that `properties` takes.
  @inline(__always)
  static func size(ofProperties count: Int) throws(EncodingError) -> Int {
    guard let length = VariableByteInteger.length(of: count) else { throw .packetTooLong }
    return length + count
  }

  /// A field that carries its length in two bytes; the caller checked that it fits in them.
  @inline(__always)
  mutating func field(_ content: Span<UInt8>) {
    uint16(UInt16(truncatingIfNeeded: content.count))
    bytes(content)
  }

  mutating func field(_ text: StaticString) {
    uint16(UInt16(truncatingIfNeeded: text.utf8CodeUnitCount))
    next.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
    next += text.utf8CodeUnitCount
  }
}
