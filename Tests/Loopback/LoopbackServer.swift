import MQTTCodec

/// A small MQTT 3.1.1 server in memory, as a state machine like the client: one client, its session,
/// its subscriptions, all three QoS, retained messages. It checks what it receives: `faults` stays empty
/// when the client keeps the rules.
public final class LoopbackServer {
  public struct Message: Equatable {
    public var topic: String
    public var payload: [UInt8]
    public var qos: QoS = .atMostOnce
    public var retain = false
    public var duplicate = false
    public var packetID: UInt16 = 0
  }

  /// What goes to the client next.
  public var output: [UInt8] = []
  /// All messages from the client, in order, repetitions included.
  public private(set) var published: [Message] = []
  /// The same without the repetitions of QoS 2: what subscribers get.
  public private(set) var accepted: [Message] = []
  public private(set) var pings = 0
  public private(set) var connects = 0
  public private(set) var disconnects = 0
  public private(set) var subscriptions: [(filter: [UInt8], qos: QoS)] = []
  public private(set) var retained: [String: Message] = [:]
  public private(set) var will: Message?
  public private(set) var faults: [String] = []
  /// It wants the connection closed: after a refusal, a fault or `DISCONNECT`.
  public private(set) var wantsClose = false

  /// How `CONNECT` is answered.
  public var answer = ConnackCode.accepted
  /// Answers nothing at all.
  public var isDeaf = false
  /// Leaves `PUBLISH` unanswered.
  public var withholdsAcknowledgements = false
  /// Refuses these filters.
  public var refusedFilters: Set<String> = []

  private var input: [UInt8] = []
  private var isConnected = false
  private var hasSession = false
  private var keepsSession = false
  private var lastPacketID: UInt16 = 0
  /// Messages to the client that it has not acknowledged, and identifiers that it is to release.
  private var unacknowledged: [Message] = []
  private var unreleased: [UInt16] = []
  /// QoS 2 messages from the client that it has not released.
  private var received: [UInt16: Message] = [:]

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
    _ topic: String, _ payload: [UInt8], qos: QoS = .atMostOnce, retain: Bool = false, duplicate: Bool = false
  ) {
    let message = Message(topic: topic, payload: payload, qos: qos, retain: retain, duplicate: duplicate)
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
    case .puback, .pubrec, .pubrel, .pubcomp: settle(header.type, try Acknowledgement.decode(body.span))
    case .subscribe: try subscribe(body)
    case .unsubscribe: try unsubscribe(body)
    case .pingreq:
      pings += 1
      write { span throws(EncodingError) in try EmptyPacket.encode(.pingresp, into: &span) }
    case .disconnect:
      disconnects += 1
      will = nil
      isConnected = false
      wantsClose = true
    default:
      faults.append("\(header.type) from a client")
      wantsClose = true
    }
  }

  private func connect(_ body: [UInt8]) throws(MalformedPacket) {
    let packet = try Connect.decode(body.span)
    connects += 1
    keepsSession = !packet.cleanSession
    if packet.cleanSession { forgetSession() }
    will = packet.will.map { will in
      Message(
        topic: String(decoding: body[will.topic], as: UTF8.self), payload: [UInt8](body[will.payload]),
        qos: will.qos, retain: will.retain)
    }
    let reply = Connack(sessionPresent: hasSession && answer == .accepted, code: answer)
    write { span throws(EncodingError) in try reply.encode(into: &span) }
    isConnected = answer == .accepted
    wantsClose = !isConnected
    guard isConnected else { return }
    hasSession = keepsSession
    for packetID in unreleased { acknowledge(packetID, .pubrel) }
    for message in unacknowledged { transmit(message, duplicate: true) }
  }

  private func settle(_ type: PacketType, _ packetID: UInt16) {
    switch type {
    case .pubrel:
      received[packetID] = nil
      acknowledge(packetID, .pubcomp)
    case .pubcomp: unreleased.removeAll { $0 == packetID }
    default:
      guard let index = unacknowledged.firstIndex(where: { $0.packetID == packetID }) else { return }
      let message = unacknowledged.remove(at: index)
      guard message.qos == (type == .pubrec ? .exactlyOnce : .atLeastOnce) else {
        faults.append("\(type) for a message of \(message.qos)")
        return
      }
      guard type == .pubrec else { return }
      unreleased.append(packetID)
      acknowledge(packetID, .pubrel)
    }
  }

  /// As a server does that restarts and has written nothing down.
  public func forgetSession() {
    hasSession = false
    subscriptions = []
    unacknowledged = []
    unreleased = []
    received = [:]
  }

  private func publish(_ body: [UInt8], _ flags: UInt8) throws(MalformedPacket) {
    let packet = try Publish.decode(body.span, flags: flags)
    let message = Message(
      topic: String(decoding: body[packet.topic], as: UTF8.self), payload: [UInt8](body[packet.payload]),
      qos: packet.qos, retain: packet.retain, duplicate: packet.duplicate, packetID: packet.packetID)
    published.append(message)
    if packet.qos == .exactlyOnce {
      guard isNew(message) else { return acknowledge(packet.packetID, .pubrec) }
      received[packet.packetID] = message
    }
    accepted.append(message)
    if packet.qos != .atMostOnce, !withholdsAcknowledgements {
      acknowledge(packet.packetID, packet.qos == .atLeastOnce ? .puback : .pubrec)
    }
    if packet.retain { retained[message.topic] = message.payload.isEmpty ? nil : message }
    var forwarded = message
    forwarded.duplicate = false
    route(forwarded)
  }

  /// Whether a QoS 2 message is none that we have, and whether it says the truth about that.
  private func isNew(_ message: Message) -> Bool {
    guard let earlier = received[message.packetID] else { return true }
    if !message.duplicate || earlier.payload != message.payload {
      faults.append("packet identifier \(message.packetID) given twice")
    }
    return false
  }

  public func acknowledge(_ packetID: UInt16, _ type: PacketType = .puback) {
    write { span throws(EncodingError) in
      try Acknowledgement(type, packetID: packetID).encode(into: &span)
    }
  }

  private func subscribe(_ body: [UInt8]) throws(MalformedPacket) {
    let start = try Subscribe.decode(body.span)
    var position = start.first
    var codes: [UInt8] = []
    while let entry = try Subscribe.entry(body.span, at: position) {
      position = entry.next
      let filter = [UInt8](body[entry.filter])
      if refusedFilters.contains(String(decoding: filter, as: UTF8.self)) {
        codes.append(0x80)
        continue
      }
      subscriptions.removeAll { $0.filter == filter }
      subscriptions.append((filter, entry.qos))
      codes.append(entry.qos.rawValue)
    }
    write { span throws(EncodingError) in
      try Suback.encode(packetID: start.packetID, codes: codes.span, into: &span)
    }
    for message in retained.values.sorted(by: { $0.topic < $1.topic }) { route(message, isKept: true) }
  }

  private func unsubscribe(_ body: [UInt8]) throws(MalformedPacket) {
    let start = try Unsubscribe.decode(body.span)
    var position = start.first
    while let entry = try Unsubscribe.entry(body.span, at: position) {
      position = entry.next
      let filter = [UInt8](body[entry.filter])
      subscriptions.removeAll { $0.filter == filter }
    }
    acknowledge(start.packetID, .unsuback)
  }

  /// Only messages that were kept for the subscriber carry the retain flag ([MQTT-3.3.1-9]).
  private func route(_ message: Message, isKept: Bool = false) {
    let topic = [UInt8](message.topic.utf8)
    let matching = subscriptions.filter { TopicFilter.matches($0.filter.span, topic: topic.span) }
    guard isConnected || keepsSession, let granted = matching.map(\.qos).max() else { return }
    var copy = message
    copy.qos = min(message.qos, granted)
    copy.retain = isKept
    if copy.qos != .atMostOnce {
      lastPacketID = lastPacketID == .max ? 1 : lastPacketID + 1
      copy.packetID = lastPacketID
      unacknowledged.append(copy)
    }
    if isConnected { transmit(copy, duplicate: message.duplicate && !isKept) }
  }

  private func transmit(_ message: Message, duplicate: Bool) {
    let topic = [UInt8](message.topic.utf8)
    write(capacity: topic.count + message.payload.count + 16) { span throws(EncodingError) in
      try Publish.encode(
        topic: topic.span, payload: message.payload.span, qos: message.qos, retain: message.retain,
        duplicate: duplicate, packetID: message.packetID, into: &span)
    }
  }

  private func write(
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
