/// `SUBSCRIBE` and `UNSUBSCRIBE`: a packet identifier and a list of topic filters.
public enum Subscribe {
  /// One entry of a decoded packet; `next` is where the following one starts.
  public struct Entry: Equatable, Sendable {
    public var filter: Range<Int>
    public var options: SubscriptionOptions
    public var next: Int

    public var qos: QoS { options.qos }
  }

  /// Writes a `SUBSCRIBE` or `UNSUBSCRIBE` up to its list of filters, which `append` writes behind it: there must be
  /// room for the `listLength` bytes that it takes, too. Answers the bytes written. [MQTT-3.8.1-1], [MQTT-3.10.1-1],
  /// [MQTT-2.3.1-1]
  public static func begin(
    _ type: PacketType = .subscribe, packetID: UInt16, properties: Span<UInt8> = Span(),
    version: ProtocolVersion = .v3_1_1, listLength: Int, into buffer: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    var remaining = 2 + listLength
    if version.isV5 { remaining += try PacketWriter.size(ofProperties: properties.count) }
    return try PacketWriter.write(
      type, flags: 2, remaining: remaining, later: listLength, into: &buffer
    ) { writer in
      writer.uint16(packetID)
      if version.isV5 { writer.properties(properties) }
    }
  }

  /// Writes a filter of the list, with the byte of its options in a `SUBSCRIBE`, and answers its length. The filter
  /// is not checked here (`TopicFilter.check`).
  public static func append(
    filter: Span<UInt8>, options: UInt8?, to buffer: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    guard filter.count <= 0xFFFF else { throw .fieldTooLong }
    return try PacketWriter.append(filter.count + (options == nil ? 2 : 3), to: &buffer) { writer in
      writer.field(filter)
      if let options { writer.uint8(options) }
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

/// `UNSUBSCRIBE`, which `Subscribe.begin` writes. Its answer is an `Acknowledgement`.
public enum Unsubscribe {
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
