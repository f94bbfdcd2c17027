import HAL
import MQTTClient
import MQTTCodec

// What goes out. States and errors are retained, QoS 1, and the newest wins; results are QoS 0. Readings are
// QoS 0 and, when they cannot go out now, counted, not kept; or QoS 1 and kept, as the module says.
extension Device {
  /// Marks the value of one of the module's entities as changed; the device fetches and publishes it when there is
  /// room.
  public func changed(_ module: any Module, _ entity: Int = 0) {
    slot(of: module)?.mark(entity, needsState: true)
  }

  /// Says what is wrong with a module; empty text: it is well again. Repeating the same text costs nothing.
  public func setError(_ text: FixedText, of module: any Module) {
    guard let slot = slot(of: module), slot.error != text else { return }
    slot.error = text
    slot.needsError = true
    var line = FixedText(module.name)
    line.append(text.isEmpty ? ": well again" : ": ")
    line.append(text)
    log.write(text.isEmpty ? .info : .error, line)
  }

  /// Publishes a reading of one of the module's entities; false (and counted) when it could neither go out nor be kept.
  /// One that is kept carries the time it was taken at, if the time of day is known when it leaves: the user property
  /// `sampled`, in milliseconds since 1970. Connections of 3.1.1 have no properties: there `format` has to say it.
  /// `quality` is for JSON alone, and empty when there is nothing to say of it. `expires`: after how many seconds the
  /// broker, and the outbox, forget it; 0: never. Connections of 3.1.1 cannot say that either.
  @discardableResult
  public func publish(
    _ payload: FixedText, as entity: Int, of module: any Module, keeping: Keeping = .nothing,
    format: ReadingFormat = .plain, expires: UInt32 = 0, quality: StaticString = ""
  ) -> Bool {
    guard let slot = slot(of: module), slot.entities.indices.contains(entity) else { return false }
    let isKept = keeping != .nothing
    if isKept { times?.takeStamp() }
    let payload = format == .json ? json(payload, isKept, quality) : payload
    stampProperties.removeAll()
    if expires > 0 { stampProperties.append(.messageExpiryInterval, expires) }
    // The last one: whoever replaces it looks there.
    if isKept { times?.stampProperties(&stampProperties) }
    let properties = stampProperties.bytes
    let dropped = client.counters.dropped
    let sent = publish(
      slot.entities[entity].topic, payload, isKept ? .atLeastOnce : .atMostOnce,
      retain: slot.entities[entity].isRetained, properties: properties.span, durability: keeping.durability)
    if isKept { noteLost(client.counters.dropped &- dropped) }
    if sent == nil { droppedReadings += 1 }
    return sent != nil
  }

  private func json(_ value: FixedText, _ isKept: Bool, _ quality: StaticString) -> FixedText {
    var text: FixedText = "{\"value\":"
    text.append(value)
    if isKept {
      times?.appendStamp(to: &text)
    } else if let now = times?.now {
      times?.appendMember(now, to: &text)
    }
    if quality.utf8CodeUnitCount > 0 {
      text.append(",\"quality\":\"")
      text.append(quality)
      text.append("\"")
    }
    text.append("}")
    return text
  }

  /// Readings that were to be kept had to go, the new one or older ones: said at once, and how many at the next
  /// connection.
  private func noteLost(_ count: UInt32) {
    // Less than before: the store failed, and what was dropped is back.
    guard Int32(bitPattern: count) > 0 else { return }
    if lostReadings == 0 { log.write(.warning, "the outbox is full: readings are dropped") }
    lostReadings &+= count
  }

  func tellLost() {
    guard lostReadings > 0 else { return }
    var line: FixedText = "readings dropped because the outbox was full: "
    line.append(decimal: Int64(lostReadings))
    log.write(.warning, line)
    lostReadings = 0
  }

  /// Reports something that no command asked for on `…/<module>/result`, such as a safety timer's act.
  public func report(_ result: StaticString, reason: FixedText, of module: any Module) {
    guard let slot = slot(of: module) else { return }
    var payload: FixedText = "{\"result\":\""
    payload.append(result)
    payload.append("\",\"reason\":\"")
    payload.append(jsonEscaped: reason, leaving: 2)
    payload.append("\"}")
    _ = publish(slot.resultTopic, payload, .atMostOnce, retain: false)
    var line = FixedText(module.name)
    line.append(": ")
    line.append(reason)
    log.write(.warning, line)
  }

  func slot(of module: any Module) -> ModuleSlot? {
    for slot in slots where slot.module === module { return slot }
    return nil
  }

  /// Sends what is marked, as far as the client has room; the rest goes when acknowledgements come.
  func flush() {
    guard client.isConnected else { return }
    if needsBirth {
      guard publish(topics.availability, "online", .atLeastOnce, retain: true) != nil else { return }
      needsBirth = false
    }
    if let errand, !errand.flush(on: self) { return }
    for slot in slots {
      for entity in slot.entities.indices {
        guard flushState(entity, of: slot) else { return }
      }
      guard flushError(of: slot) else { return }
    }
  }

  private func flushState(_ entity: Int, of slot: ModuleSlot) -> Bool {
    guard slot.entities[entity].needsState else { return true }
    var payload = FixedText()
    if slot.module.write(entity, to: &payload) {
      let topic = slot.entities[entity].topic
      guard publish(topic, payload, .atLeastOnce, retain: true) != nil else { return false }
    }
    slot.mark(entity, needsState: false)
    return true
  }

  private func flushError(of slot: ModuleSlot) -> Bool {
    guard slot.needsError else { return true }
    guard publish(slot.errorTopic, slot.error, .atLeastOnce, retain: true) != nil else { return false }
    slot.needsError = false
    return true
  }

  /// The packet identifier (0 for QoS 0), or nil when the message could not go out.
  func publish(
    _ topic: FixedText, _ payload: FixedText, _ qos: MQTTQoS, retain: Bool
  ) -> UInt16? {
    topic.withSpan { send($0, payload, qos, retain: retain, properties: Span(), durability: .memory) }
  }

  func publish(
    _ topic: TopicArena.Place, _ payload: FixedText, _ qos: MQTTQoS, retain: Bool,
    properties: Span<UInt8> = Span(), durability: MQTTDurability = .memory
  ) -> UInt16? {
    arena.withSpan(topic) {
      send($0, payload, qos, retain: retain, properties: properties, durability: durability)
    }
  }

  private func send(
    _ topic: Span<UInt8>, _ payload: FixedText, _ qos: MQTTQoS, retain: Bool, properties: Span<UInt8>,
    durability: MQTTDurability
  ) -> UInt16? {
    payload.withSpan { payload in
      do throws(MQTTPublishError) {
        return try client.publish(
          topic: topic, payload: payload, qos: qos, retain: retain, properties: properties,
          durability: durability)
      } catch {
        // Not connected or no room; the client counts both.
        return nil
      }
    }
  }
}
