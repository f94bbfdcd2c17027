import MQTTClient
import MQTTCodec

// The session: its beginning, its subscriptions, and what it forgets.
extension LoopbackServer {
  func connect(_ body: [UInt8]) throws(MalformedPacket) {
    let packet = try Connect.decode(body.span)
    guard !isOld || packet.version == .v3_1_1 else { return refuse() }
    connects += 1
    version = packet.version
    let expiry = try takeProperties([UInt8](body[packet.properties]))
    keepsSession = version == .v5 ? expiry > 0 : !packet.cleanSession
    if packet.cleanSession { forgetSession() }
    will = packet.will.map { will in
      Message(
        topic: String(decoding: body[will.topic], as: UTF8.self), payload: [UInt8](body[will.payload]),
        qos: will.qos, retain: will.retain)
    }
    greet(sessionPresent: hasSession && answer == .accepted)
    isConnected = answer == .accepted
    wantsClose = !isConnected
    guard isConnected else { return }
    hasSession = keepsSession
    receivedAliases = [:]
    sentAliases = []
    unsettled = []
    unsent = 0
    for packetID in unreleased { acknowledge(packetID, .pubrel) }
    transmitUnsent()
  }

  /// What the client takes; answers for how long it wants its session kept.
  private func takeProperties(_ properties: [UInt8]) throws(MalformedPacket) -> UInt32 {
    clientReceiveMaximum = 65_535
    clientAliasMaximum = 0
    var expiry: UInt32 = 0
    var position = 0
    while let property = try Properties.next(properties.span, at: &position) {
      switch property.id {
      case .receiveMaximum: clientReceiveMaximum = Int(property.number)
      case .topicAliasMaximum: clientAliasMaximum = Int(property.number)
      case .sessionExpiryInterval: expiry = property.number
      default: break
      }
    }
    return expiry
  }

  private func refuse() {
    output += [0x20, 2, 0, 1]
    wantsClose = true
  }

  private func greet(sessionPresent: Bool) {
    guard version == .v5 else {
      let reply = Connack(sessionPresent: sessionPresent, code: answer)
      return write { span throws(EncodingError) in try reply.encode(into: &span) }
    }
    var list = PropertyList()
    if answer == .accepted {
      list.append(.receiveMaximum, UInt32(receiveMaximum))
      list.append(.topicAliasMaximum, UInt32(topicAliasMaximum))
      if let maximumPacketSize { list.append(.maximumPacketSize, maximumPacketSize) }
    }
    let properties = list.bytes
    write { span throws(EncodingError) in
      try ConnackV5.encode(
        sessionPresent: sessionPresent, reason: answer.reason, properties: properties.span, into: &span)
    }
  }

  /// As a server does that restarts and has written nothing down.
  public func forgetSession() {
    hasSession = false
    subscriptions = []
    unacknowledged = []
    unsent = 0
    unreleased = []
    received = [:]
  }

  func subscribe(_ body: [UInt8]) throws(MalformedPacket) {
    let start = try Subscribe.decode(body.span, version: version)
    var position = start.first
    var codes: [UInt8] = []
    var filters: [[UInt8]] = []
    while let entry = try Subscribe.entry(body.span, at: position, version: version) {
      position = entry.next
      let filter = [UInt8](body[entry.filter])
      if refusedFilters.contains(String(decoding: filter, as: UTF8.self)) {
        codes.append(version == .v5 ? ReasonCode.notAuthorized.rawValue : 0x80)
        continue
      }
      subscriptions.removeAll { $0.filter == filter }
      subscriptions.append((filter, entry.qos))
      filters.append(filter)
      codes.append(entry.qos.rawValue)
    }
    write { span throws(EncodingError) in
      if version == .v5 {
        return try ReasonList.encode(.suback, packetID: start.packetID, codes: codes.span, into: &span)
      }
      return try Suback.encode(packetID: start.packetID, codes: codes.span, into: &span)
    }
    for message in retained.values.sorted(by: { $0.topic < $1.topic }) {
      let topic = [UInt8](message.topic.utf8)
      guard filters.contains(where: { TopicFilter.matches($0.span, topic: topic.span) }) else { continue }
      route(message, isKept: true)
    }
  }

  func unsubscribe(_ body: [UInt8]) throws(MalformedPacket) {
    let start = try Unsubscribe.decode(body.span, version: version)
    var position = start.first
    var codes: [UInt8] = []
    while let entry = try Unsubscribe.entry(body.span, at: position) {
      position = entry.next
      let filter = [UInt8](body[entry.filter])
      subscriptions.removeAll { $0.filter == filter }
      codes.append(0)
    }
    guard version == .v5 else { return acknowledge(start.packetID, .unsuback) }
    write { span throws(EncodingError) in
      try ReasonList.encode(.unsuback, packetID: start.packetID, codes: codes.span, into: &span)
    }
  }
}
