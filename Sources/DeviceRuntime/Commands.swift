import HAL
import MQTTClient
import MQTTCodec

// What comes in: one subscription, `<prefix>+/set`, and an answer to every command on `…/<module>/result`.
extension Device {
  /// Whatever goes wrong here is a mistake in the topic's text, which the configuration has checked.
  func subscribe() {
    subscribe(topics.commands)
    subscribe(topics.get)
    if hasPartCommands || !listeners.isEmpty { subscribe(topics.partCommands) }
    if !listeners.isEmpty { subscribe(topics.listenerCommands) }
  }

  private var hasPartCommands: Bool {
    for slot in slots {
      for entity in slot.module.entities where entity.access.contains(.command) && !entity.isMain {
        return true
      }
    }
    return false
  }

  func subscribe(_ filter: FixedText) {
    // A broker of 5.0 shows which commands are retained even while we are connected.
    subscribe(filter, MQTTSubscribeOptions(qos: .atLeastOnce, retainAsPublished: true))
  }

  func subscribe(_ filter: FixedText, _ options: MQTTSubscribeOptions) {
    filter.withSpan { filter in
      do throws(MQTTSubscribeError) {
        _ = try client.subscribe(filter: filter, options: options)
      } catch {
        log.write(.error, "the topic root is not a valid topic: no command can be received")
      }
    }
  }

  func handle(_ event: MQTTEvent) {
    switch event {
    case .connected: brokerConnected()
    case .disconnected(let reason): brokerDisconnected(reason)
    case .connectionFailed(let reason): connectionFailed(reason)
    case .refused(let refusal): refused(refusal)
    case .message(let message): receive(message)
    case .oversized(let message, let length): refuse(message, length: length)
    case .subscriptionRefused(_, let code):
      // Who refuses one refuses the others.
      if hasLoggedSubscription { return }
      hasLoggedSubscription = true
      logRefusal("the broker refused the subscription to ", topics.commands, code)
    case .publishFailed(_, .refused(let code)): messageRefused(code)
    case .storeFailed(let error): storeFailed(error)
    case .published(let packetID):
      farewellHeard(packetID)
      errand?.heard(packetID)
    case .publishFailed, .subscribed, .unsubscribed, .reauthenticated: break
    }
  }

  /// A message that the broker does not take is seldom the only one: the first of each connection is logged.
  private func messageRefused(_ code: MQTTReasonCode) {
    if hasLoggedRefusal { return }
    hasLoggedRefusal = true
    logRefusal("the broker refused a message below ", topics.prefix, code)
  }

  private func logRefusal(_ what: FixedText, _ topic: FixedText, _ code: MQTTReasonCode) {
    var line = what
    line.append(topic)
    line.append(": ")
    line.append(code == .unspecifiedError ? "look at its access lists" : code.refusalText)
    log.write(.error, line)
  }

  private func storeFailed(_ error: MQTTStoreError) {
    switch error {
    case .diskFull: log.write(.error, "the disk is full: what was to be kept on it is in memory only")
    case .full, .failed: log.write(.error, "the disk fails: what was to be kept on it is in memory only")
    }
  }

  private func brokerConnected() {
    log.write(
      .info,
      client.protocolVersion == .v5
        ? "online: connected to the broker" : "online: connected to the broker (MQTT 3.1.1)")
    tellLost()
    lastFailure = .none
    hasLoggedRefusal = false
    hasLoggedSubscription = false
    gatesFindBroker()
    markAll()
    for slot in slots { slot.module.brokerConnected() }
  }

  private func markAll() {
    needsBirth = true
    errand?.markAll()
    for slot in slots { slot.markAll() }
  }

  /// States, errors and what dialects say, and new readings of the sensors.
  @discardableResult
  public func publishEverything() -> CommandAnswer {
    markAll()
    refreshModules()
    return .accepted
  }

  /// New readings of the sensors.
  public func refreshModules() {
    for slot in slots { slot.module.refresh() }
  }

  private func brokerDisconnected(_ reason: MQTTDisconnectReason) {
    if reason != .requested { log.write(.warning, reason.text("offline: ")) }
    gatesLoseBroker()
    for slot in slots { slot.module.brokerDisconnected() }
    connectionEnded()
  }

  private func receive(_ message: MQTTMessage) {
    let (topic, payload) = read(message)
    if errand?.receive(topic, payload, retained: message.retain) == true { return }
    guard let name = addressee(of: topic) else { return cannotAnswer() }
    if payload.isEmpty, isClearing(message, topic) { return cleared(name) }
    let command = Command(payload.unwrapped, mayBeRepeated: message.duplicate)
    debugCommand(name, command.payload, "")
    answerCommand(name: name, command: command.payload, decide(topic, command, retained: message.retain))
  }

  /// An empty message with the retain flag. With 3.1.1 the flag is not shown to who is connected: there nothing that is
  /// empty is a module's command.
  private func isClearing(_ message: MQTTMessage, _ topic: FixedText) -> Bool {
    if message.retain { return true }
    return client.protocolVersion != .v5 && takesCommands(topic)
  }

  private func takesCommands(_ topic: FixedText) -> Bool {
    for slot in slots {
      for entity in slot.entities where arena.isSame(entity.commandTopic, topic) { return true }
    }
    return false
  }

  /// Somebody has taken a retained command off the broker, as our own answer to it recommends.
  private func cleared(_ name: FixedText) {
    guard mayLogRejection() else { return }
    var line = name
    line.append(": the retained command is cleared")
    log.write(.info, line)
  }

  private func cannotAnswer() {
    if mayLogRejection() {
      log.write(.warning, "a command on a topic too long to be answered was not obeyed")
    }
  }

  /// A message that does not even fit into the receive buffer has been skipped; its sender hears of it.
  private func refuse(_ message: MQTTMessage, length: Int) {
    guard let name = addressee(of: read(message).topic) else { return cannotAnswer() }
    var reason: FixedText = "the payload is too long: "
    reason.append(decimal: Int64(length))
    reason.append(" bytes")
    answerCommand(name: name, command: FixedText(), .rejected(reason))
  }

  private func read(_ message: MQTTMessage) -> (topic: FixedText, payload: FixedText) {
    var topic = FixedText()
    var payload = FixedText()
    client.withMessage(message) { topicSpan, payloadSpan in
      topic.append(topicSpan)
      payload.append(payloadSpan)
    }
    return (topic, payload)
  }

  private func decide(_ topic: FixedText, _ command: Command, retained: Bool) -> CommandAnswer {
    // A retained command is somebody's wish from the past: it would switch at every connection.
    if retained {
      return .rejected(
        "retained commands are not obeyed: publish without the retain flag, and clear this one with an empty retained message"
      )
    }
    if isStopping { return .rejected("the device is stopping") }
    if topic == topics.get { return publishEverything() }
    var command = command
    for slot in slots {
      for entity in slot.entities.indices where arena.isSame(slot.entities[entity].commandTopic, topic) {
        if command.payload.isTruncated { return .rejected(Device.tooLong) }
        command.entity = entity
        return slot.module.obey(command)
      }
    }
    guard let module = topics.module(ofCommand: topic), let listener = listener(at: module) else {
      return .rejected(explanation(for: topic))
    }
    if command.payload.isTruncated { return .rejected(Device.tooLong) }
    return listener.obey(command, at: topics.path(ofCommand: topic, below: module))
  }

  private static var tooLong: FixedText { "the payload is longer than 512 bytes" }

  /// Why nobody obeys what came on a topic.
  private func explanation(for topic: FixedText) -> FixedText {
    guard let name = topics.module(ofCommand: topic) else { return "" }
    for slot in slots where name == FixedText(slot.module.name) {
      for entity in slot.entities where !entity.commandTopic.isNone {
        return "this module has nothing of that name"
      }
      return "this module takes no commands"
    }
    return "this device has no module of that name"
  }

  func answerCommand(name: FixedText, command: FixedText, _ answer: CommandAnswer) {
    var payload: FixedText = "{\"command\":\""
    payload.append(jsonEscaped: command.prefix(32))
    switch answer {
    case .accepted:
      payload.append("\",\"result\":\"accepted\"}")
      debugCommand(name, command, " accepted")
    case .rejected(let reason):
      payload.append("\",\"result\":\"rejected\",\"reason\":\"")
      payload.append(jsonEscaped: reason, leaving: 2)
      payload.append("\"}")
      logRejection(name, command, reason)
    case .later: return
    }
    var topic = topics.prefix
    topic.append(name)
    topic.append("/result")
    _ = publish(topic, payload, .atMostOnce, retain: false)
  }

  private func logRejection(_ name: FixedText, _ command: FixedText, _ reason: FixedText) {
    guard mayLogRejection() else { return }
    var line = name
    line.append(": ")
    line.append(quoted(command))
    line.append(" rejected: ")
    line.append(reason)
    log.write(.warning, line)
  }

  private func debugCommand(_ name: FixedText, _ command: FixedText, _ what: StaticString) {
    guard log.level == .debug else { return }
    var text = quoted(command)
    text.append(what)
    debug(name, text)
  }

  @inline(never)
  private func quoted(_ command: FixedText) -> FixedText {
    var text: FixedText = "command \""
    text.append(jsonEscaped: command.prefix(32))
    text.append("\"")
    return text
  }

  /// Whoever may send commands could fill the log with them: some get a line each, the rest become a number.
  private func mayLogRejection() -> Bool {
    tellUnlogged()
    return rejectionLimit.admits(clock.now)
  }
}
