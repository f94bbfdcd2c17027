/// Reads one entry of `modules`.
struct ModuleReader {
  private static let kinds = ["relay", "button", "sensor"]
  private static let firstAddress = 0x08
  private static let lastAddress = 0x77
  private static let longestDebounce: Int64 = 10_000
  private static let defaultPeriod: Int64 = 10_000

  let problems: Problems
  let drivers: [DriverDescription]

  func read(_ node: Node) -> ModuleDescription? {
    guard let fields = Fields(node, owner: "this module", wanted: "a module like 'relay: fan'", problems),
      let kind = kind(of: fields), let field = fields.optional(kind)
    else { return nil }
    fields.owner = kind
    let name = Field(node: field.node, key: kind, owner: "", problems: problems).name() ?? ""
    if !name.utf8.isEmpty { fields.owner = kind + " " + name.quoted }
    for reserved in DeviceReader.reservedNames where reserved.equals(name) {
      field.report("\(name.quoted) is a reserved name", "the device uses it in its own topics")
    }
    let module: ModuleDescription
    if kind.equals("relay") {
      module = .relay(relay(fields, name))
    } else if kind.equals("button") {
      module = .button(button(fields, name))
    } else {
      module = .sensor(sensor(fields, name))
    }
    fields.finish()
    return module
  }

  /// The key that says what the module is.
  private func kind(of fields: Fields) -> String? {
    let found = ModuleReader.kinds.filter { fields.entry($0) != nil }
    if found.count == 1 { return found[0] }
    if found.count > 1 {
      problems.report(
        fields.mark, "a module is one thing, not \(listed(found))", "begin each module with its own '- '")
      return nil
    }
    let kinds = listed(ModuleReader.kinds, last: "or")
    guard case .mapping(let entries) = fields.node.content, let first = entries.first else {
      problems.report(fields.mark, "a module without anything in it", "it begins with \(kinds)")
      return nil
    }
    for entry in entries {
      guard let suggestion = didYouMean(entry.key, ModuleReader.kinds) else { continue }
      problems.report(entry.mark, "unknown module kind \(entry.key.quoted)", suggestion)
      return nil
    }
    problems.report(first.mark, "unknown module kind \(first.key.quoted)", "a module is a \(kinds)")
    return nil
  }

  // MARK: - Lines

  private func line(_ fields: Fields) -> LineReference {
    let field = fields.required("line", example: "GPIO17")
    return LineReference(
      mark: field?.mark ?? fields.mark, name: field?.text(wanted: "a line like GPIO17") ?? "")
  }

  private func activeLow(_ fields: Fields) -> Bool {
    fields.optional("active")?.choice(["high", "low"]) == 1
  }

  private func button(_ fields: Fields, _ name: String) -> ButtonDescription {
    let line = line(fields)
    let activeLow = activeLow(fields)
    // A button connects the line to its active level; the pull keeps it at the other one.
    var pull = activeLow ? ButtonDescription.Pull.up : .down
    if let choice = fields.optional("pull")?.choice(["up", "down", "none"]) {
      pull = choice == 0 ? .up : choice == 1 ? .down : .none
    }
    var debounce: Int64 = 30
    if let field = fields.optional("debounce"), let milliseconds = field.duration() {
      debounce = milliseconds
      if debounce > ModuleReader.longestDebounce {
        field.reject(wanted: "\(durationText(ModuleReader.longestDebounce)) or shorter")
      }
    }
    return ButtonDescription(
      mark: fields.mark, name: name, line: line, activeLow: activeLow, pull: pull,
      debounceMilliseconds: debounce)
  }

  // MARK: - Relays

  private func relay(_ fields: Fields, _ name: String) -> RelayDescription {
    let line = line(fields)
    let activeLow = activeLow(fields)
    let safety = fields.optional("safety").map { self.safety($0) } ?? SafetyDescription()
    return RelayDescription(mark: fields.mark, name: name, line: line, activeLow: activeLow, safety: safety)
  }

  private func safety(_ field: Field) -> SafetyDescription {
    var safety = SafetyDescription()
    let owner = "'safety' of " + field.owner
    guard
      let fields = Fields(
        field.node, owner: owner, wanted: "a mapping like { start: off, max_on: 30min }", problems)
    else { return safety }
    if let start = fields.optional("start")?.state() { safety.start = start }
    if let stop = fields.optional("stop").map({ self.stop($0) }) { safety.stop = stop }
    if let lost = fields.optional("broker_lost") { safety.brokerLost = brokerLost(lost, field.owner) }
    if let limit = fields.optional("max_on"), let milliseconds = limit.duration() {
      safety.maxOnMilliseconds = milliseconds
      if milliseconds == 0 {
        limit.report("\(limit.title) must be longer than 0s", "leave it out for no limit")
      }
    }
    fields.finish()
    return safety
  }

  private func stop(_ field: Field) -> SafetyDescription.Stop {
    guard case .scalar(let text) = field.node.content else {
      field.reject(wanted: "on, off or hold")
      return .off
    }
    if text.equals("hold") { return .hold }
    if let state = Field.state(text) { return state ? .on : .off }
    _ = field.choice(["off", "on", "hold"])
    return .off
  }

  private func brokerLost(_ field: Field, _ owner: String) -> SafetyDescription.BrokerLost? {
    let wanted: Message = "a mapping like { after: 60s, then: off }"
    let owner = "'broker_lost' of " + owner
    guard let fields = Fields(field.node, owner: owner, wanted: wanted, problems) else { return nil }
    let after = fields.required("after", example: "60s")?.duration() ?? 0
    let then = fields.required("then", example: "off")?.state() ?? false
    fields.finish()
    return SafetyDescription.BrokerLost(afterMilliseconds: after, then: then)
  }

  // MARK: - Sensors

  private func sensor(_ fields: Fields, _ name: String) -> SensorDescription {
    let driver = driver(fields)
    let bus = fields.required("bus", example: "i2c-1")
    let busName = bus?.text(wanted: "a bus like i2c-1") ?? ""
    let addressField = fields.optional("address")
    let address = addressField.map { self.address($0, driver) }
    var period = ModuleReader.defaultPeriod
    if let every = fields.optional("every") {
      period = every.duration(atLeast: driver?.shortestPeriodMilliseconds ?? 0) ?? period
    }
    return SensorDescription(
      mark: fields.mark, name: name, driver: driver ?? DeviceReader.noDriver,
      bus: BusReference(mark: bus?.mark ?? fields.mark, name: busName),
      address: address ?? driver?.addresses.first ?? 0, addressMark: addressField?.mark ?? fields.mark,
      everyMilliseconds: period, keep: keep(fields),
      isJSON: fields.optional("format")?.choice(["plain", "json"]) == 1)
  }

  private func driver(_ fields: Fields) -> DriverDescription? {
    guard let field = fields.required("driver", example: drivers.first?.name ?? "SHT3x"),
      let name = field.text(wanted: "the name of a driver")
    else { return nil }
    for driver in drivers where driver.name.equals(name) { return driver }
    let names = drivers.map { $0.name }
    let suggestion = didYouMean(name, names) ?? "drivers are \(listed(names))"
    field.report("unknown driver \(field.node.description) in \(field.owner)", suggestion)
    return nil
  }

  private func address(_ field: Field, _ driver: DriverDescription?) -> UInt8 {
    let usual = hexadecimal(driver?.addresses.first ?? 0x44)
    let range = ModuleReader.firstAddress...ModuleReader.lastAddress
    guard let number = field.integer(wanted: "an I2C address from 0x08 to 0x77, like \(usual)", in: range)
    else {
      return 0
    }
    let address = UInt8(number)
    if let driver, !driver.addresses.contains(address) {
      let possible = listed(driver.addresses.map { hexadecimal($0) }, last: "or")
      field.report("\(driver.name) cannot have the address \(hexadecimal(address))", "it has \(possible)")
    }
    return address
  }
}
