/// What a device will use and say, on one screen: the answer of `swiftletd check` to a file that is right.
public enum Summary {
  public static func text(_ configuration: DeviceConfiguration) -> String {
    let device = configuration.device
    let board = configuration.board
    var text: Message = "\(device.name) on \(board.title)\(board.simulated ? ", simulated" : "")\n"
    text += row("broker", brokerText(device.broker))
    if let outbox = device.broker.outbox { text += row("outbox", outboxText(outbox)) }
    var heading = "lines"
    for module in device.modules {
      guard let reference = module.line, let line = board.line(reference) else { continue }
      text += row(heading, lineText(module, line))
      heading = ""
    }
    heading = "buses"
    for case .sensor(let sensor) in device.modules {
      guard let bus = board.bus(sensor.bus) else { continue }
      text += row(heading, sensorText(sensor, board.simulated ? "simulated" : bus.device))
      heading = ""
    }
    text += row("topics", "\(device.topicPrefix)/availability")
    for module in device.modules {
      for topic in topics(of: module) { text += row("", "\(device.topicPrefix)/\(module.name)/\(topic)") }
    }
    return text.text
  }

  /// The last levels of a module's topics.
  static func topics(of module: ModuleDescription) -> [String] {
    switch module {
    case .relay: return ["state", "set", "result", "error"]
    case .button: return ["state", "error"]
    case .sensor(let sensor): return sensor.driver.quantities + ["error"]
    }
  }

  private static func row(_ heading: String, _ text: Message) -> Message {
    "\(padded(heading))\(text)\n"
  }

  private static func padded(_ text: String) -> String {
    var padded = text
    for _ in 0..<max(0, 8 - text.utf8.count) { padded += " " }
    return padded
  }

  private static func brokerText(_ broker: BrokerDescription) -> Message {
    var text: Message = ""
    for (index, server) in broker.servers.enumerated() {
      if index > 0 { text += ", else " }
      text += serverText(server)
    }
    if let proxy = broker.proxy {
      text += ", through \(proxy.scheme.name)://\(proxy.host):\(Int(proxy.port))"
    }
    if let username = broker.username { text += ", user \(username)" }
    if broker.tls.isInsecure { text += ", ANY certificate is taken" }
    if broker.tls.pin != nil { text += ", key pinned" }
    return "\(text), client \(broker.clientID), keep alive \(Int(broker.keepAliveSeconds))s"
  }

  private static func serverText(_ server: ServerDescription) -> Message {
    if server.scheme == .unix { return "\(server.host)" }
    let scheme = server.scheme == .mqtt ? "" : server.scheme.name + "://"
    let isIPv6 = server.host.bytes.contains(0x3A)
    let host = isIPv6 ? "[" + server.host + "]" : server.host
    return "\(scheme)\(host):\(Int(server.port))\(server.path.utf8.count > 1 ? server.path : "")"
  }

  private static func outboxText(_ outbox: OutboxDescription) -> Message {
    let start: Message = "\(outbox.path), at most \(sizeText(outbox.bytes)), when it is full"
    switch outbox.drop {
    case .oldest: return "\(start) the oldest goes"
    case .newest: return "\(start) nothing new is taken"
    case .priority: return "\(start) the oldest of the lowest priority goes"
    }
  }

  private static func lineText(_ module: ModuleDescription, _ line: LineDescription) -> Message {
    let pin = line.pin.map { padded("pin " + $0.description) } ?? padded("")
    let start: Message = "\(padded(line.name))\(pin)\(module.kind) \(module.name)"
    switch module {
    case .relay(let relay): return "\(start), \(level(relay.activeLow))\(relayText(relay.safety))"
    case .button(let button): return "\(start), \(level(button.activeLow))\(buttonText(button))"
    case .sensor: return start
    }
  }

  private static func relayText(_ safety: SafetyDescription) -> Message {
    var text: Message = ", \(state(safety.start)) at start"
    switch safety.stop {
    case .on: text += ", on at stop"
    case .off: text += ", off at stop"
    case .hold: text += ", unchanged at stop"
    }
    if let lost = safety.brokerLost {
      text += ", \(state(lost.then)) \(durationText(lost.afterMilliseconds)) after losing the broker"
    }
    if let limit = safety.maxOnMilliseconds { text += ", on for \(durationText(limit)) at most" }
    return text
  }

  private static func buttonText(_ button: ButtonDescription) -> Message {
    let pull = button.pull == .up ? ", pulled up" : button.pull == .down ? ", pulled down" : ""
    return "\(pull), debounced for \(durationText(button.debounceMilliseconds))"
  }

  private static func sensorText(_ sensor: SensorDescription, _ device: String) -> Message {
    let start: Message =
      "\(padded(sensor.bus.name))\(padded(hexadecimal(sensor.address)))sensor \(sensor.name)"
    let period = durationText(sensor.everyMilliseconds)
    let format = sensor.isJSON ? ", JSON" : ""
    return "\(start), \(sensor.driver.name), every \(period)\(format)\(keepText(sensor.keep)) (\(device))"
  }

  private static func keepText(_ keep: KeepDescription) -> String {
    switch (keep.place, keep.priority) {
    case (.none, _): return ""
    case (.memory, _): return ", kept in memory"
    case (.disk, .normal): return ", kept on disk"
    case (.disk, .high): return ", kept on disk with high priority"
    case (.disk, .low): return ", kept on disk with low priority"
    }
  }

  private static func level(_ activeLow: Bool) -> String {
    activeLow ? "active low" : "active high"
  }

  private static func state(_ on: Bool) -> String {
    on ? "on" : "off"
  }
}
