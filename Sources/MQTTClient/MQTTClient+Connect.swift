import MQTTCodec

// The beginning of a connection: CONNECT, and what the server says to it.
extension MQTTClient {
  /// False when the authenticator's data do not fit.
  func writeConnect() -> Bool {
    keepAlive.set(seconds: options.keepAlive)
    longestTaken = isV5 ? Int(clamping: options.maximumPacketSize ?? .max) : .max
    guard !MQTTVersion.hasV5 || beginAuthentication() else { return false }
    // With 5.0 a session may be new in the beginning and kept from then on.
    startedClean =
      options.cleanSession && !(isV5 && connectPacket.sessionExpiry > 0 && counters.connections > 0)
    return output.write { span throws(EncodingError) in
      try connectPacket.encode(
        options, protocolVersion, cleanStart: startedClean, assigned: assignedClientIdentifier,
        authentication: authentication.properties.bytes, into: &span)
    }
  }

  private func beginAuthentication() -> Bool {
    authentication.data.removeAll(keepingCapacity: true)
    authentication.waiting = nil
    authentication.isAnswering = false
    if isV5, let authenticator {
      authenticator.start(into: &authentication.data)
      guard authentication.writeProperties(authenticator.method) else { return false }
      authentication.isUnderWay = true
    } else {
      authentication.properties.removeAll()
      authentication.isUnderWay = false
    }
    return true
  }

  /// `CONNACK` of 3.1.1.
  func accepted(_ answer: Connack) throws(MQTTDisconnectReason) -> MQTTEvent? {
    guard answer.code == .accepted else { return refused(answer.code.reason) }
    serverLimits = MQTTServerLimits()
    try checkSession(answer.sessionPresent)
    return connected(sessionPresent: answer.sessionPresent && !startedClean)
  }

  /// A server cannot remember what we asked it to forget, and we do not either. [MQTT-3.2.2-1]
  private func checkSession(_ isPresent: Bool) throws(MQTTDisconnectReason) {
    guard !isPresent || !startedClean || putsUpWithMistake() else { throw .violation(.protocolError) }
  }

  /// `CONNACK` of 5.0, or of a server that does not speak it.
  @inline(never)
  func acceptedV5(
    _ body: Span<UInt8>, at position: Int
  ) throws(MQTTDisconnectReason) -> MQTTEvent? {
    let answer: ConnackV5
    do {
      answer = try ConnackV5.decode(body)
    } catch {
      throw .malformed(error)
    }
    noteProperties(answer.properties, at: position)
    guard !answer.reason.isError else {
      if answer.reason == .unsupportedProtocolVersion, options.fallsBack { return fallBack() }
      noteRedirection(answer.reason)
      return refused(answer.reason)
    }
    try checkSession(answer.sessionPresent)
    serverLimits = MQTTServerLimits()
    var dataRange = 0..<0
    var isOurs = true
    try readProperties(body.extracting(answer.properties)) { property, properties in
      serverLimits.take(property)
      switch property.id {
      case .assignedClientIdentifier: isOurs = takeIdentifier(properties.extracting(property.value))
      case .authenticationData: dataRange = property.value
      default: break
      }
    }
    guard isOurs || putsUpWithMistake() else { throw .violation(.protocolError) }
    try finishAuthentication(body.extracting(answer.properties).extracting(dataRange))
    if let seconds = serverLimits.keepAlive { keepAlive.set(seconds: seconds) }
    return connected(sessionPresent: answer.sessionPresent && !startedClean)
  }

  /// A server gives a name to who has none. Who has one keeps it, and with it its session.
  private func takeIdentifier(_ identifier: Span<UInt8>) -> Bool {
    guard options.clientID.byteCount > 0 || !assignedClientIdentifier.isEmpty else {
      assignedClientIdentifier = identifier.copied
      return true
    }
    let ours = assignedClientIdentifier.isEmpty ? options.clientID.bytes : assignedClientIdentifier
    guard identifier.count == ours.count else { return false }
    for index in ours.indices where ours[index] != identifier[index] { return false }
    return true
  }

  private func connected(sessionPresent: Bool) -> MQTTEvent {
    if counters.connections > 0 { counters.reconnects &+= 1 }
    counters.connections &+= 1
    state = .connected
    connectedAt = clock
    workBefore = counters.received &+ counters.settled
    awaited = Awaited()
    redirection = nil
    mayBeOld = !isV5
    window = min(options.maxInFlight, Int(serverLimits.receiveMaximum))
    if MQTTVersion.hasV5 { startLimits() }
    packetIDs.releaseSubscriptions()
    if let stored {
      if !sessionPresent {
        stored.hasLostSession = true
        forgetAllReceived(stored)
      }
      markSent(stored)
    }
    if !sessionPresent { receivedIDs.removeAll() }
    subscriptions.rewind(sessionPresent: sessionPresent)
    outbox.rewind(sessionPresent: sessionPresent)
    if let stored { refill(stored) }
    pump()
    return .connected(sessionPresent: sessionPresent)
  }

  /// What only a server of 5.0 can say.
  private func startLimits() {
    isLimited =
      serverLimits.maximumQoS < .exactlyOnce || !serverLimits.retainAvailable
      || serverLimits.maximumPacketSize < UInt32(clamping: output.capacity)
    receivedAliases.forget()
    sentAliases.forget(allowing: serverLimits.topicAliasMaximum)
  }

  private func refused(_ reason: MQTTReasonCode) -> MQTTEvent? {
    patience = reason.isLasting ? .long : .normal
    return closeNow(.refused(reason))
  }

  /// The next attempt is at once, and with 3.1.1.
  private func fallBack() -> MQTTEvent? {
    protocolVersion = .v3_1_1
    patience = .none
    return closeNow(nil)
  }

  /// Without an answer to `CONNECT`, or in the middle of one.
  func closedWhileConnecting() {
    pendingEvent = .connectionFailed(.transportClosed)
    // At once or not at all: a server that is not there yet, behind a proxy that closes for it, should not be met
    // with 3.1.1 when it comes.
    guard guess != .current, isV5, options.fallsBack, mayBeOld, received.count == 0 else { return }
    protocolVersion = .v3_1_1
    guess = .next
    patience = .none
    pendingEvent = nil
  }

  /// The next attempt goes to another server: that the latest one speaks 5.0 says nothing about it.
  public func serverChanges() {
    mayBeOld = true
    mistakes = Mistakes()
  }

  /// The next attempt begins: the one that was guessed, or the one after it.
  func endGuess() {
    switch guess {
    case .none: break
    case .next: guess = .current
    case .current:
      guess = .none
      protocolVersion = .v5
    }
  }

  /// Closes from inside `nextEvent`, which tells why.
  func closeNow(_ event: MQTTEvent?) -> MQTTEvent? {
    let properties = eventProperties
    close(event)
    eventProperties = properties
    pendingEvent = nil
    return event
  }

  /// `DISCONNECT` of a server: it is gone, or will be.
  @inline(never)
  func serverClosed(_ body: Span<UInt8>, at position: Int) throws(MalformedPacket) -> MQTTEvent? {
    let reason = try Reason.decode(body, of: .disconnect)
    noteProperties(reason.properties, at: position)
    noteRedirection(reason.code)
    if reason.code == .sessionTakenOver {
      patience = .growing
    } else if reason.code.isLasting {
      patience = .long
    }
    return closeNow(.disconnected(.server(reason.code)))
  }

  private func noteRedirection(_ reason: MQTTReasonCode) {
    guard reason == .useAnotherServer || reason == .serverMoved else { return }
    withEventProperty(.serverReference) { reference in
      redirection = MQTTRedirection(reference: reference.copied, isPermanent: reason == .serverMoved)
    }
  }
}

extension MQTTReasonCode {
  /// Whether trying again soon is pointless: somebody has to change a configuration first.
  public var isLasting: Bool {
    switch self {
    case .malformedPacket, .protocolError, .unsupportedProtocolVersion, .clientIdentifierNotValid,
      .badUserNameOrPassword, .notAuthorized, .banned, .badAuthenticationMethod, .topicNameInvalid,
      .packetTooLarge, .payloadFormatInvalid, .retainNotSupported, .qosNotSupported:
      true
    default: false
    }
  }
}

extension Span<UInt8> {
  /// A copy. Allocates.
  var copied: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    for index in indices { bytes.append(self[index]) }
    return bytes
  }
}
