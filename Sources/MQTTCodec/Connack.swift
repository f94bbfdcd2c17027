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

/// `CONNACK` of 3.1.1: the server accepts a client or says why not.
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

/// `CONNACK` of 5.0, which also tells what the server does not do.
public struct ConnackV5: Equatable, Sendable {
  public var sessionPresent: Bool
  public var reason: ReasonCode
  /// A range of the body.
  public var properties: Range<Int>

  /// Reads the body. A server that speaks 3.1.1 only refuses in the form it knows, which has no
  /// properties: that is understood as well. [MQTT5-3.2.2-6], [MQTT5-3.2.2-8]
  public static func decode(_ body: Span<UInt8>) throws(MalformedPacket) -> ConnackV5 {
    var cursor = Cursor()
    let flags = try cursor.uint8(body)
    guard flags & 0xFE == 0 else { throw .contradictoryFlags }
    let code = try cursor.uint8(body)
    if cursor.atEnd(body), let refusal = ConnackCode(rawValue: code), refusal != .accepted, flags == 0 {
      return ConnackV5(sessionPresent: false, reason: refusal.reason, properties: 2..<2)
    }
    let reason = ReasonCode(rawValue: code)
    guard reason.isValid(for: .connack) else { throw .reservedCode }
    guard !reason.isError || flags == 0 else { throw .contradictoryFlags }
    let properties = try cursor.properties(body, for: .connack)
    try cursor.requireEnd(body)
    return ConnackV5(sessionPresent: flags == 1, reason: reason, properties: properties)
  }

  /// Writes the packet. Linear in the properties.
  public static func encode(
    sessionPresent: Bool, reason: ReasonCode, properties: Span<UInt8> = Span(),
    into buffer: inout MutableSpan<UInt8>
  ) throws(EncodingError) -> Int {
    let remaining = 2 + (try PacketWriter.size(ofProperties: properties.count))
    return try PacketWriter.write(.connack, flags: 0, remaining: remaining, into: &buffer) { writer in
      writer.uint8(sessionPresent ? 1 : 0)
      writer.uint8(reason.rawValue)
      writer.properties(properties)
    }
  }
}

extension ConnackCode {
  /// The code of 5.0 that says the same.
  public var reason: ReasonCode {
    switch self {
    case .accepted: .success
    case .unacceptableProtocolVersion: .unsupportedProtocolVersion
    case .identifierRejected: .clientIdentifierNotValid
    case .serverUnavailable: .serverUnavailable
    case .badUsernameOrPassword: .badUserNameOrPassword
    case .notAuthorized: .notAuthorized
    }
  }
}
