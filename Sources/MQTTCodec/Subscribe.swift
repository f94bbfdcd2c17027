/// `SUBSCRIBE` and `UNSUBSCRIBE`: a packet identifier and a list of topic filters.
public enum Subscribe {
  /// One entry of a decoded packet; `next` is where the following one starts.
  public struct Entry: Equatable, Sendable {
    public var filter: Range<Int>
    public var options: SubscriptionOptions
    public var next: Int

    public var qos: QoS { options.qos }
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

  /// The same for 5.0, with encoded properties and the options of the filter.
  public static func encodeV5(
    packetID: UInt16, properties: Span<UInt8> = Span(), filter: Span<UInt8>, options: SubscriptionOptions,
    into buffer: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    guard filter.count <= 0xFFFF else { throw .fieldTooLong }
    let remaining = 5 + filter.count + (try PacketWriter.size(ofProperties: properties.count))
    return try PacketWriter.write(.subscribe, flags: 2, remaining: remaining, into: &buffer) { writer in
      writer.uint16(packetID)
      writer.properties(properties)
      writer.field(filter)
      writer.uint8(options.rawValue)
    }
  }

  /// Reads the packet identifier and the properties; entries follow from `first` on. [MQTT-3.8.3-3]
  public static func decode(
    _ body: Span<UInt8>, version: ProtocolVersion = .v3_1_1
  ) throws(MalformedPacket) -> (packetID: UInt16, properties: Range<Int>, first: Int) {
    try decode(body, version, .subscribe)
  }

  static func decode(
    _ body: Span<UInt8>, _ version: ProtocolVersion, _ owner: PropertyOwner
  ) throws(MalformedPacket) -> (packetID: UInt16, properties: Range<Int>, first: Int) {
    var cursor = Cursor()
    let packetID = try cursor.packetID(body)
    let properties = version.isV5 ? try cursor.properties(body, for: owner) : 2..<2
    guard !cursor.atEnd(body) else { throw .emptyList }
    return (packetID, properties, cursor.position)
  }

  /// Reads the entry that starts at `position`; nil at the end of the body. [MQTT-3.8.3-4],
  /// [MQTT5-3.8.3-5]
  public static func entry(
    _ body: Span<UInt8>, at position: Int, version: ProtocolVersion = .v3_1_1
  ) throws(MalformedPacket) -> Entry? {
    guard position < body.count else { return nil }
    var cursor = Cursor(position: position)
    let filter = try cursor.field(body)
    try TopicFilter.check(body.extracting(filter))
    let byte = try cursor.uint8(body)
    let options = try SubscriptionOptions.decode(byte, version)
    return Entry(filter: filter, options: options, next: cursor.position)
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

  /// The same for 5.0, with encoded properties.
  public static func encodeV5(
    packetID: UInt16, properties: Span<UInt8> = Span(), filter: Span<UInt8>,
    into buffer: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    guard filter.count <= 0xFFFF else { throw .fieldTooLong }
    let remaining = 4 + filter.count + (try PacketWriter.size(ofProperties: properties.count))
    return try PacketWriter.write(.unsubscribe, flags: 2, remaining: remaining, into: &buffer) { writer in
      writer.uint16(packetID)
      writer.properties(properties)
      writer.field(filter)
    }
  }

  /// Reads the packet identifier and the properties; entries follow from `first` on. [MQTT-3.10.3-2]
  public static func decode(
    _ body: Span<UInt8>, version: ProtocolVersion = .v3_1_1
  ) throws(MalformedPacket) -> (packetID: UInt16, properties: Range<Int>, first: Int) {
    try Subscribe.decode(body, version, .unsubscribe)
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
