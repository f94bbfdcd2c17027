import MQTTCodec

/// A small MQTT server in memory, 5.0 and 3.1.1, as a state machine like the client: one client, its
/// session, its subscriptions, all three QoS, retained messages. It checks what it receives: `faults` stays
/// empty when the client keeps the rules.
public final class LoopbackServer {
  public struct Message: Equatable {
    public var topic: String
    public var payload: [UInt8]
    public var qos: QoS = .atMostOnce
    public var retain = false
    public var duplicate = false
    public var packetID: UInt16 = 0
    /// Of 5.0, encoded, without a topic alias.
    public var properties: [UInt8] = []
  }

  /// What goes to the client next.
  public var output: [UInt8] = []
  /// All messages from the client, in order, repetitions included.
  public internal(set) var published: [Message] = []
  /// The same without the repetitions of QoS 2: what subscribers get.
  public internal(set) var accepted: [Message] = []
  public internal(set) var pings = 0
  public internal(set) var connects = 0
  public internal(set) var disconnects = 0
  public internal(set) var subscriptions: [(filter: [UInt8], qos: QoS)] = []
  public internal(set) var retained: [String: Message] = [:]
  public internal(set) var will: Message?
  public internal(set) var faults: [String] = []
  /// It wants the connection closed: after a refusal, a fault or `DISCONNECT`.
  public internal(set) var wantsClose = false
  /// The protocol of the connection.
  public internal(set) var version = ProtocolVersion.v3_1_1

  /// How `CONNECT` is answered.
  public var answer = ConnackCode.accepted
  /// Answers nothing at all.
  public var isDeaf = false
  /// Leaves `PUBLISH` unanswered.
  public var withholdsAcknowledgements = false
  /// Refuses these filters.
  public var refusedFilters: Set<String> = []
  /// Refuses 5.0, as a server does that has never heard of it.
  public var isOld = false
  /// What it takes of 5.0; it says so in `CONNACK`.
  public var receiveMaximum: UInt16 = 65_535
  public var topicAliasMaximum: UInt16 = 0
  public var maximumPacketSize: UInt32?
  /// Gives aliases to its own topics, as many as the client takes.
  public var usesAliases = false

  var input: [UInt8] = []
  var isConnected = false
  var hasSession = false
  var keepsSession = false
  var lastPacketID: UInt16 = 0
  /// Messages to the client that it has not acknowledged, those from `unsent` on not sent on this
  /// connection; and identifiers that it is to release.
  var unacknowledged: [Message] = []
  var unsent = 0
  var unreleased: [UInt16] = []
  /// What the client takes.
  var clientReceiveMaximum = 65_535
  var clientAliasMaximum = 0
  var sentAliases: [String] = []
  var receivedAliases: [UInt16: String] = [:]
  /// QoS 2 messages from the client that it has not released.
  var received: [UInt16: Message] = [:]
  /// Messages of QoS 1 and 2 from the client that we have not settled on this connection.
  var unsettled: Set<UInt16> = []

  public init() {}

  public func transportOpened() {
    input = []
    output = []
    isConnected = false
    wantsClose = false
  }

  /// The connection is lost; without `DISCONNECT` the will is published.
  public func transportClosed() {
    if isConnected, let will { route(will) }
    isConnected = false
    if !keepsSession { forgetSession() }
  }

  public func receive(_ bytes: [UInt8]) {
    input += bytes
    guard !isDeaf else { return }
    do {
      while !wantsClose, let header = try FixedHeader.decode(input.span), input.count >= header.packetLength {
        let body = [UInt8](input[header.length..<header.packetLength])
        input.removeFirst(header.packetLength)
        try handle(header, body)
      }
    } catch {
      faults.append("malformed: \(error)")
      wantsClose = true
    }
  }

  /// Gives a message to the client if it is subscribed; with a kept session also while it is away. A
  /// duplicate is one that it may have had on an earlier connection.
  public func send(
    _ topic: String, _ payload: [UInt8], qos: QoS = .atMostOnce, retain: Bool = false,
    duplicate: Bool = false,
    properties: [UInt8] = []
  ) {
    let message = Message(
      topic: topic, payload: payload, qos: qos, retain: retain, duplicate: duplicate, properties: properties)
    if retain { retained[topic] = payload.isEmpty ? nil : message }
    route(message)
  }

  private func handle(_ header: FixedHeader, _ body: [UInt8]) throws(MalformedPacket) {
    guard isConnected != (header.type == .connect) else {
      faults.append("\(header.type) out of place")
      wantsClose = true
      return
    }
    switch header.type {
    case .connect: try connect(body)
    case .publish: try publish(body, header.flags)
    case .puback, .pubrec, .pubrel, .pubcomp:
      settle(header.type, try ReasonedAcknowledgement.decode(body.span, of: header.type).packetID)
    case .subscribe: try subscribe(body)
    case .unsubscribe: try unsubscribe(body)
    case .pingreq:
      pings += 1
      write { span throws(EncodingError) in try EmptyPacket.encode(.pingresp, into: &span) }
    case .disconnect: try disconnected(body)
    default:
      faults.append("\(header.type) from a client")
      wantsClose = true
    }
  }

  private func disconnected(_ body: [UInt8]) throws(MalformedPacket) {
    let reason = try Reason.decode(body.span, of: .disconnect).code
    disconnects += 1
    if reason.isError { faults.append("the client closes: \(reason.text)") }
    if reason == .normalDisconnection { will = nil }
    isConnected = false
    wantsClose = true
  }

  public func acknowledge(_ packetID: UInt16, _ type: PacketType = .puback) {
    if type == .puback || type == .pubcomp { unsettled.remove(packetID) }
    write { span throws(EncodingError) in
      try Acknowledgement(type, packetID: packetID).encode(into: &span)
    }
  }

  func write(
    capacity: Int = 64, _ encode: (inout MutableSpan<UInt8>) throws(EncodingError) -> Int
  ) {
    var buffer = [UInt8](repeating: 0, count: capacity)
    var span = buffer.mutableSpan
    do {
      let count = try encode(&span)
      output += buffer[..<count]
    } catch {
      faults.append("server cannot encode: \(error)")
    }
  }
}
