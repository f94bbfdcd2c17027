/// What a server of 3.1.1 answers to `CONNECT` (section 3.2.2.3).
public enum ConnackCode: UInt8, Sendable {
  case accepted = 0
  case unacceptableProtocolVersion = 1
  case identifierRejected = 2
  case serverUnavailable = 3
  case badUsernameOrPassword = 4
  case notAuthorized = 5

  /// Whether trying again soon is pointless: somebody has to change a configuration first.
  public var isPermanent: Bool {
    switch self {
    case .accepted, .serverUnavailable: false
    default: true
    }
  }
}

/// `CONNACK`: the server accepts a client or says why not.
public struct Connack: Equatable, Sendable {
  public var sessionPresent: Bool
  public var code: ConnackCode

  public init(sessionPresent: Bool, code: ConnackCode) {
    self.sessionPresent = sessionPresent
    self.code = code
  }

  /// Reads the body. [MQTT-3.2.2-4]: a refusal carries no session.
  public static func decode(_ body: Span<UInt8>) throws(MalformedPacket) -> Connack {
    guard body.count == 2 else { throw .wrongLength }
    guard body[0] & 0xFE == 0 else { throw .contradictoryFlags }
    guard let code = ConnackCode(rawValue: body[1]) else { throw .reservedCode }
    let sessionPresent = body[0] == 1
    guard code == .accepted || !sessionPresent else { throw .contradictoryFlags }
    return Connack(sessionPresent: sessionPresent, code: code)
  }

  /// Writes the packet, 4 bytes.
  public func encode(into buffer: inout MutableSpan<UInt8>) throws(EncodingError) -> Int {
    try PacketWriter.write(.connack, flags: 0, remaining: 2, into: &buffer) { writer in
      writer.uint8(sessionPresent ? 1 : 0)
      writer.uint8(code.rawValue)
    }
  }
}
