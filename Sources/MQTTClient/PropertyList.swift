import MQTTCodec

/// Properties of MQTT 5.0 in the form they have on the wire, in the order they were appended. It keeps
/// its memory: one that is emptied and filled again allocates nothing. Pass `bytes.span`.
public struct PropertyList: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public var isEmpty: Bool { bytes.isEmpty }

  public mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
  }

  /// Appends an integer or a byte, in the width that the property has; a value that does not fit is cut.
  public mutating func append(_ id: PropertyID, _ number: UInt32) {
    bytes.append(id.rawValue)
    switch id.kind {
    case .byte: bytes.append(UInt8(truncatingIfNeeded: number))
    case .twoByteInteger: append(UInt16(truncatingIfNeeded: number))
    case .variableByteInteger: appendVariable(number)
    default:
      precondition(id.kind == .fourByteInteger, "this property is no number")
      append(UInt16(truncatingIfNeeded: number >> 16))
      append(UInt16(truncatingIfNeeded: number))
    }
  }

  /// Appends a string or bytes, at most 65,535 of them.
  public mutating func append(_ id: PropertyID, _ value: Span<UInt8>) throws(EncodingError) {
    precondition(id.kind == .string || id.kind == .binary, "this property is neither text nor bytes")
    guard value.count <= 0xFFFF else { throw .fieldTooLong }
    bytes.append(id.rawValue)
    append(field: value)
  }

  public mutating func append(_ id: PropertyID, _ value: String) throws(EncodingError) {
    try append(id, value.bytes.span)
  }

  /// Appends a user property; names may come more than once.
  public mutating func append(user name: Span<UInt8>, _ value: Span<UInt8>) throws(EncodingError) {
    guard name.count <= 0xFFFF, value.count <= 0xFFFF else { throw .fieldTooLong }
    bytes.append(PropertyID.userProperty.rawValue)
    append(field: name)
    append(field: value)
  }

  public mutating func append(user name: String, _ value: String) throws(EncodingError) {
    try append(user: name.bytes.span, value.bytes.span)
  }

  private mutating func append(_ number: UInt16) {
    bytes.append(UInt8(truncatingIfNeeded: number >> 8))
    bytes.append(UInt8(truncatingIfNeeded: number))
  }

  private mutating func appendVariable(_ number: UInt32) {
    var rest = min(number, UInt32(VariableByteInteger.max))
    while rest > 0x7F {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  private mutating func append(field: Span<UInt8>) {
    append(UInt16(truncatingIfNeeded: field.count))
    for index in field.indices { bytes.append(field[unchecked: index]) }
  }
}
