/// `CONNECT`: a client introduces itself. Variable fields of a decoded one are ranges of its body.
public struct Connect: Equatable, Sendable {
  /// What the server publishes for a client that is lost.
  public struct Will: Equatable, Sendable {
    public var topic: Range<Int>
    public var payload: Range<Int>
    public var qos: QoS
    public var retain: Bool
  }

  public var cleanSession: Bool
  /// Seconds; 0 turns it off.
  public var keepAlive: UInt16
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

  /// Reads the body of a `CONNECT`. Linear in its strings.
  ///
  /// [MQTT-3.1.2-1]…[MQTT-3.1.2-22], [MQTT-3.1.3-1], [MQTT-3.1.3-4], [MQTT-3.1.3-10], [MQTT-3.1.3-11]
  public static func decode(_ body: Span<UInt8>) throws(MalformedPacket) -> Connect {
    var cursor = Cursor()
    try checkProtocol(body, &cursor)
    let flags = try cursor.uint8(body)
    guard flags & 1 == 0 else { throw .contradictoryFlags }
    let keepAlive = try cursor.uint16(body)
    let clientID = try cursor.string(body)
    let will = try decodeWill(body, flags: flags, &cursor)
    let hasUsername = flags & usernameFlag != 0
    let hasPassword = flags & passwordFlag != 0
    guard hasUsername || !hasPassword else { throw .contradictoryFlags }
    let username = hasUsername ? try cursor.string(body) : nil
    let password = hasPassword ? try cursor.field(body) : nil
    try cursor.requireEnd(body)
    return Connect(
      cleanSession: flags & cleanSessionFlag != 0, keepAlive: keepAlive, clientID: clientID,
      will: will, username: username, password: password)
  }

  private static func checkProtocol(
    _ body: Span<UInt8>, _ cursor: inout Cursor
  ) throws(MalformedPacket) {
    let name = body.extracting(try cursor.field(body))
    guard name.count == protocolName.utf8CodeUnitCount else { throw .protocolName }
    for index in 0..<name.count where name[index] != protocolName.utf8Start[index] {
      throw .protocolName
    }
    guard try cursor.uint8(body) == ProtocolVersion.v3_1_1.rawValue else { throw .protocolVersion }
  }

  private static func decodeWill(
    _ body: Span<UInt8>, flags: UInt8, _ cursor: inout Cursor
  ) throws(MalformedPacket) -> Will? {
    guard flags & willFlag != 0 else {
      guard flags & 0b0011_1000 == 0 else { throw .contradictoryFlags }
      return nil
    }
    guard let qos = QoS(rawValue: flags >> 3 & 0b11) else { throw .invalidQoS }
    let topic = try cursor.string(body)
    let payload = try cursor.field(body)
    return Will(topic: topic, payload: payload, qos: qos, retain: flags & willRetainFlag != 0)
  }

  /// What `encode` needs beside the strings.
  public struct Options: Sendable {
    public var cleanSession: Bool
    public var keepAlive: UInt16
    public var willQoS: QoS
    public var willRetain: Bool

    public init(
      cleanSession: Bool, keepAlive: UInt16, willQoS: QoS = .atMostOnce, willRetain: Bool = false
    ) {
      self.cleanSession = cleanSession
      self.keepAlive = keepAlive
      self.willQoS = willQoS
      self.willRetain = willRetain
    }
  }

  /// Writes a `CONNECT` of 3.1.1 and answers its length. A will needs topic and payload; a password
  /// without a user name is left out ([MQTT-3.1.2-22]). Linear.
  public static func encode(
    _ options: Options, clientID: Span<UInt8>, willTopic: Span<UInt8>? = nil,
    willPayload: Span<UInt8>? = nil, username: Span<UInt8>? = nil, password: Span<UInt8>? = nil,
    into buffer: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    var flags: UInt8 = options.cleanSession ? cleanSessionFlag : 0
    var remaining = 10 + (try size(clientID))
    if let willTopic, let willPayload {
      flags |= willFlag | options.willQoS.rawValue << 3 | (options.willRetain ? willRetainFlag : 0)
      remaining += try size(willTopic) + size(willPayload)
    }
    if let username {
      flags |= usernameFlag
      remaining += try size(username)
      if let password {
        flags |= passwordFlag
        remaining += try size(password)
      }
    }
    return try PacketWriter.write(.connect, flags: 0, remaining: remaining, into: &buffer) { writer in
      writer.field(protocolName)
      writer.uint8(ProtocolVersion.v3_1_1.rawValue)
      writer.uint8(flags)
      writer.uint16(options.keepAlive)
      writer.field(clientID)
      if flags & willFlag != 0, let willTopic, let willPayload {
        writer.field(willTopic)
        writer.field(willPayload)
      }
      if let username { writer.field(username) }
      if flags & passwordFlag != 0, let password { writer.field(password) }
    }
  }

  private static func size(_ field: Span<UInt8>) throws(EncodingError) -> Int {
    guard field.count <= 0xFFFF else { throw .fieldTooLong }
    return 2 + field.count
  }
}
