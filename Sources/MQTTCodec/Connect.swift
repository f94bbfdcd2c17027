/// `CONNECT`: a client introduces itself. Variable fields of a decoded one are ranges of its body.
public struct Connect: Equatable, Sendable {
  /// What the server publishes for a client that is lost.
  public struct Will: Equatable, Sendable {
    public var topic: Range<Int>
    public var payload: Range<Int>
    public var qos: QoS
    public var retain: Bool
    /// Empty in 3.1.1.
    public var properties: Range<Int> = 0..<0
  }

  public var version: ProtocolVersion
  /// 5.0 calls it Clean Start: what the server remembers is forgotten now.
  public var cleanSession: Bool
  /// Seconds; 0 turns it off.
  public var keepAlive: UInt16
  /// Empty in 3.1.1.
  public var properties: Range<Int>
  public var clientID: Range<Int>
  public var will: Will?
  public var username: Range<Int>?
  public var password: Range<Int>?

  private static let protocolName: StaticString = "MQTT"
  private static let cleanSessionFlag: UInt8 = 0b0000_0010
  private static let willFlag: UInt8 = 0b0000_0100
  private static let willRetainFlag: UInt8 = 0b0010_0000
  private static let passwordFlag: UInt8 = 0b0100_0000
  private static let usernameFlag: UInt8 = 0b1000_0000

  /// Reads the body of a `CONNECT` of either version. Linear in its strings and properties.
  ///
  /// [MQTT-3.1.2-1]…[MQTT-3.1.2-22], [MQTT-3.1.3-1], [MQTT-3.1.3-4], [MQTT-3.1.3-10], [MQTT-3.1.3-11]
  public static func decode(_ body: Span<UInt8>) throws(MalformedPacket) -> Connect {
    var cursor = Cursor()
    let version = try checkProtocol(body, &cursor)
    let flags = try cursor.uint8(body)
    guard flags & 1 == 0 else { throw .contradictoryFlags }
    let keepAlive = try cursor.uint16(body)
    let properties = version.isV5 ? try cursor.properties(body, for: .connect) : 0..<0
    let clientID = try cursor.string(body)
    let will = try decodeWill(body, flags: flags, version, &cursor)
    let hasUsername = flags & usernameFlag != 0
    let hasPassword = flags & passwordFlag != 0
    guard hasUsername || !hasPassword || version.isV5 else { throw .contradictoryFlags }
    let username = hasUsername ? try cursor.string(body) : nil
    let password = hasPassword ? try cursor.field(body) : nil
    try cursor.requireEnd(body)
    return Connect(
      version: version, cleanSession: flags & cleanSessionFlag != 0, keepAlive: keepAlive,
      properties: properties, clientID: clientID, will: will, username: username, password: password)
  }

  private static func checkProtocol(
    _ body: Span<UInt8>, _ cursor: inout Cursor
  ) throws(MalformedPacket) -> ProtocolVersion {
    let name = body.extracting(try cursor.field(body))
    guard name.count == protocolName.utf8CodeUnitCount else { throw .protocolName }
    for index in 0..<name.count where name[index] != protocolName.utf8Start[index] {
      throw .protocolName
    }
    guard let version = ProtocolVersion(rawValue: try cursor.uint8(body)) else { throw .protocolVersion }
    return version
  }

  private static func decodeWill(
    _ body: Span<UInt8>, flags: UInt8, _ version: ProtocolVersion, _ cursor: inout Cursor
  ) throws(MalformedPacket) -> Will? {
    guard flags & willFlag != 0 else {
      guard flags & 0b0011_1000 == 0 else { throw .contradictoryFlags }
      return nil
    }
    guard let qos = QoS(rawValue: flags >> 3 & 0b11) else { throw .invalidQoS }
    let properties = version.isV5 ? try cursor.properties(body, for: .will) : 0..<0
    let topic = try cursor.string(body)
    let payload = try cursor.field(body)
    return Will(
      topic: topic, payload: payload, qos: qos, retain: flags & willRetainFlag != 0, properties: properties)
  }

  /// What `encode` needs beside the strings.
  public struct Options: Sendable {
    public var version: ProtocolVersion
    public var cleanSession: Bool
    public var keepAlive: UInt16
    public var willQoS: QoS
    public var willRetain: Bool

    public init(
      version: ProtocolVersion = .v3_1_1, cleanSession: Bool, keepAlive: UInt16, willQoS: QoS = .atMostOnce,
      willRetain: Bool = false
    ) {
      self.version = version
      self.cleanSession = cleanSession
      self.keepAlive = keepAlive
      self.willQoS = willQoS
      self.willRetain = willRetain
    }

    fileprivate func flags(hasWill: Bool, hasUsername: Bool, hasPassword: Bool) -> UInt8 {
      var flags: UInt8 = cleanSession ? cleanSessionFlag : 0
      if hasWill { flags |= willFlag | willQoS.rawValue << 3 | (willRetain ? willRetainFlag : 0) }
      if hasUsername { flags |= usernameFlag }
      if hasPassword { flags |= passwordFlag }
      return flags
    }
  }

  /// Writes a `CONNECT` and answers its length. A will needs topic and payload; in 3.1.1 a password
  /// without a user name is left out ([MQTT-3.1.2-22]), and so are properties, which are given encoded
  /// and not checked. Linear.
  public static func encode(
    _ options: Options, properties: Span<UInt8> = Span(), clientID: Span<UInt8>,
    willProperties: Span<UInt8> = Span(), willTopic: Span<UInt8>? = nil, willPayload: Span<UInt8>? = nil,
    username: Span<UInt8>? = nil, password: Span<UInt8>? = nil, into buffer: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    let isV5 = options.version.isV5
    let sendsPassword = isV5 || username != nil
    let flags = options.flags(
      hasWill: willTopic != nil && willPayload != nil, hasUsername: username != nil,
      hasPassword: sendsPassword && password != nil)
    var remaining = 10 + (try size(clientID))
    if isV5 { remaining += try PacketWriter.size(ofProperties: properties.count) }
    if flags & willFlag != 0 {
      if isV5 { remaining += try PacketWriter.size(ofProperties: willProperties.count) }
      remaining += try size(willTopic) + size(willPayload)
    }
    remaining += try size(username)
    if sendsPassword { remaining += try size(password) }
    return try PacketWriter.write(.connect, flags: 0, remaining: remaining, into: &buffer) { writer in
      writer.field(protocolName)
      writer.uint8(options.version.rawValue)
      writer.uint8(flags)
      writer.uint16(options.keepAlive)
      if isV5 { writer.properties(properties) }
      writer.field(clientID)
      if flags & willFlag != 0, let willTopic, let willPayload {
        if isV5 { writer.properties(willProperties) }
        writer.field(willTopic)
        writer.field(willPayload)
      }
      if let username { writer.field(username) }
      if sendsPassword, let password { writer.field(password) }
    }
  }

  /// Bytes that a field takes, none when there is no such field.
  private static func size(_ field: Span<UInt8>?) throws(EncodingError) -> Int {
    guard let field else { return 0 }
    guard field.count <= 0xFFFF else { throw .fieldTooLong }
    return 2 + field.count
  }
}
