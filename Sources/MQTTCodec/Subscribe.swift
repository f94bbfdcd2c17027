/// `SUBSCRIBE` and `UNSUBSCRIBE`: a packet identifier and a list of topic filters.
public enum Subscribe {
  /// One entry of a decoded packet; `next` is where the following one starts.
  public struct Entry: Equatable, Sendable {
    public var filter: Range<Int>
    public var qos: QoS
    public var next: Int
  }

  /// Writes a `SUBSCRIBE` with one filter and answers its length. The filter is not checked here
  /// (`TopicFilter.check`). [MQTT-3.8.1-1], [MQTT-2.3.1-1]
  public static func encode(
    packetID: UInt16, filter: Span<UInt8>, qos: QoS, into buffer: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    guard filter.count <= 0xFFFF else { throw .fieldTooLong }
    return try PacketWriter.write(.subscribe, flags: 2, remaining: 5 + filter.count, into: &buffer) {
      writer in
      writer.uint16(packetID)
      writer.field(filter)
      writer.uint8(qos.rawValue)
    }
  }

  /// Reads the packet identifier; entries follow from `first` on. [MQTT-3.8.3-3]
  public static func decode(
    _ body: Span<UInt8>
  ) throws(MalformedPacket) -> (packetID: UInt16, first: Int) {
    var cursor = Cursor()
    let packetID = try cursor.packetID(body)
    guard !cursor.atEnd(body) else { throw .emptyList }
    return (packetID, cursor.position)
  }

  /// Reads the entry that starts at `position`; nil at the end of the body. [MQTT-3.8.3-4]
  public static func entry(
    _ body: Span<UInt8>, at position: Int
  ) throws(MalformedPacket) -> Entry? {
    guard position < body.count else { return nil }
    var cursor = Cursor(position: position)
    let filter = try cursor.field(body)
    try TopicFilter.check(body.extracting(filter))
    guard let qos = QoS(rawValue: try cursor.uint8(body)) else { throw .invalidQoS }
    return Entry(filter: filter, qos: qos, next: cursor.position)
  }
}

/// `UNSUBSCRIBE`. Its answer is an `Acknowledgement`.
public enum Unsubscribe {
  /// Writes an `UNSUBSCRIBE` with one filter and answers its length. [MQTT-3.10.1-1]
  public static func encode(
    packetID: UInt16, filter: Span<UInt8>, into buffer: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    guard filter.count <= 0xFFFF else { throw .fieldTooLong }
    return try PacketWriter.write(.unsubscribe, flags: 2, remaining: 4 + filter.count, into: &buffer) {
      writer in
      writer.uint16(packetID)
      writer.field(filter)
    }
  }

  /// Reads the packet identifier; entries follow from `first` on. [MQTT-3.10.3-2]
  public static func decode(
    _ body: Span<UInt8>
  ) throws(MalformedPacket) -> (packetID: UInt16, first: Int) {
    try Subscribe.decode(body)
  }

  /// Reads the entry that starts at `position`; nil at the end of the body.
  public static func entry(
    _ body: Span<UInt8>, at position: Int
  ) throws(MalformedPacket) -> (filter: Range<Int>, next: Int)? {
    guard position < body.count else { return nil }
    var cursor = Cursor(position: position)
    let filter = try cursor.field(body)
    try TopicFilter.check(body.extracting(filter))
    return (filter, cursor.position)
  }
}

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
