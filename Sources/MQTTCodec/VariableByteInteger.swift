/// Numbers of one to four bytes, seven bits in each, least significant first (section 2.2.3).
public enum VariableByteInteger {
  /// The greatest one: four bytes.
  public static let max = 268_435_455

  /// Bytes that `value` takes, 1…4; nil when it is negative or too great.
  @inlinable
  public static func length(of value: Int) -> Int? {
    if value < 0 { return nil }
    if value < 128 { return 1 }
    if value < 16_384 { return 2 }
    if value < 2_097_152 { return 3 }
    return value <= max ? 4 : nil
  }

  /// Reads the number that starts at `start`; nil while its last byte is missing. Never looks beyond
  /// its fourth byte.
  public static func decode(
    _ bytes: Span<UInt8>, at start: Int
  ) throws(MalformedPacket) -> (value: Int, length: Int)? {
    var value = 0
    var index = 0
    while index < 4 {
      guard start + index < bytes.count else { return nil }
      let byte = Int(bytes[start + index])
      value |= (byte & 0x7F) << (7 * index)
      index += 1
      if byte < 0x80 { return (value, index) }
    }
    throw .lengthTooLong
  }
}
