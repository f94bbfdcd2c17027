/// What a device will use and say, on one screen: the answer of `swiftletd check` to a file that is right.
public enum Summary {
  public static func text(_ configuration: DeviceConfiguration) -> String {
    let device = configuration.device
    let board = configuration.board
    var text = "\(device.name) on \(board.title)\(board.simulated ? ", simulated" : "")\n"
    text += row("broker", brokerText(device.broker))
    var heading = "lines"
    for module in device.modules {
      guard let reference = module.line, let line = board.line(reference) else { continue }
      text += row(heading, lineText(module, line))
      heading = ""
    }
    heading = "buses"
    for case .sensor(let sensor) in device.modules {
      guard let bus = board.bus(sensor.bus) else { continue }
      text += row(heading, sensorText(sensor, bus, board))
      heading = ""
    }
    text += row("topics", device.topicPrefix + "/availability")
    for module in device.modules {
      for topic in topics(of: module) { text += row("", "\(device.topicPrefix)/\(module.name)/\(topic)") }
    }
    return text
  }

  /// The last levels of a module's topics.
  static func topics(of module: ModuleDescription) -> [String] {
    switch module {
    case .relay: return ["state", "set", "result", "error"]
    case .button: return ["state", "error"]
    case .sensor(let sensor): return sensor.driver.quantities + ["error"]
    }
  }

  private static func row(_ heading: String, _ text: String) -> String {
    padded(heading, 8) + text + "\n"
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    var padded = text
    var missing = width - text.utf8.count
    while missing > 0 {
      padded += " "
      missing -= 1
    }
    return padded
  }

  private static func brokerText(_ broker: BrokerDescription) -> String {
    let isIPv6 = broker.host.utf8.contains(0x3A)
    var text = isIPv6 ? "[\(broker.host)]:\(broker.port)" : "\(broker.host):\(broker.port)"
    if let username = broker.username { text += ", user \(username)" }
    return text + ", client \(broker.clientID), keep alive \(broker.keepAliveSeconds)s"
  }

  private static func lineText(_ module: ModuleDescription, _ line: LineDescription) -> String {
    let pin = line.pin.map { "pin \($0)" } ?? ""
    let start = padded(line.name, 8) + padded(pin, 8) + "\(module.kind) \(module.name)"
    switch module {
    case .relay(let relay): return start + relayText(relay)
    case .button(let button): return start + buttonText(button)
    case .sensor: return start
    }
  }

  private static func relayText(_ relay: RelayDescription) -> String {
    let safety = relay.safety
    var text = level(relay.activeLow) + ", \(state(safety.start)) at start"
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

  private static func buttonText(_ button: ButtonDescription) -> String {
    var text = level(button.activeLow)
    switch button.pull {
    case .up: text += ", pulled up"
    case .down: text += ", pulled down"
    case .none: break
    }
    return text + ", debounced for \(durationText(button.debounceMilliseconds))"
  }

  private static func sensorText(
    _ sensor: SensorDescription, _ bus: BusDescription, _ board: BoardDescription
  ) -> String {
    let place = board.simulated ? "" : " (\(bus.device))"
    return padded(bus.name, 8) + padded(hexadecimal(sensor.address), 8)
      + "sensor \(sensor.name), \(sensor.driver.name), every \(durationText(sensor.everyMilliseconds))\(place)"
  }

  private static func level(_ activeLow: Bool) -> String {
    activeLow ? ", active low" : ", active high"
  }

  private static func state(_ on: Bool) -> String {
    on ? "on" : "off"
  }
}
