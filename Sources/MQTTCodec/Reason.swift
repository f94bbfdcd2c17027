/// The packets of 5.0 that are a reason code with properties, `DISCONNECT` and `AUTH`: why the sender
/// closes, or how far an authentication is.
public struct Reason: Equatable, Sendable {
  public var code: ReasonCode
  /// A range of the body.
  public var properties: Range<Int>

  /// Reads the body; a missing code is success.
  public static func decode(
    _ body: Span<UInt8>, of type: PacketType
  ) throws(MalformedPacket) -> Reason {
    var cursor = Cursor()
    guard !cursor.atEnd(body) else { return Reason(code: .success, properties: 0..<0) }
    let code = ReasonCode(rawValue: try cursor.uint8(body))
    guard code.isValid(for: type) else { throw .reservedCode }
    guard let owner = PropertyOwner(rawValue: type.rawValue) else { throw .reservedType }
    let properties = cursor.atEnd(body) ? 1..<1 : try cursor.properties(body, for: owner)
    try cursor.requireEnd(body)
    return Reason(code: code, properties: properties)
  }

  /// Writes the packet in its shortest form.
  public static func encode(
    _ type: PacketType, _ code: ReasonCode, properties: Span<UInt8> = Span(),
    into buffer: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    guard code != .success || properties.count > 0 else {
      return try EmptyPacket.encode(type, into: &buffer)
    }
    let size = properties.count > 0 ? try PacketWriter.size(ofProperties: properties.count) : 0
    return try PacketWriter.write(type, flags: 0, remaining: 1 + size, into: &buffer) { writer in
      writer.uint8(code.rawValue)
      if size > 0 { writer.properties(properties) }
    }
  }
}
