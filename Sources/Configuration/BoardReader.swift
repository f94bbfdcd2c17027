extension BoardDescription {
  /// Reads a board file.
  public static func load(_ file: SourceFile) throws(ConfigurationErrors) -> BoardDescription {
    let problems = Problems()
    let board = read(file, problems)
    if let board, problems.isEmpty { return board }
    throw ConfigurationErrors(list: problems.inOrder)
  }

  static func read(_ file: SourceFile, _ problems: Problems) -> BoardDescription? {
    guard let root = YAMLReader.read(file, problems) else { return nil }
    return BoardReader(problems: problems).read(root)
  }
}

/// Reads the tree of a board file.
struct BoardReader {
  static let mostPins = 64

  let problems: Problems

  func read(_ root: Node) -> BoardDescription? {
    guard let fields = Fields(root, owner: "", wanted: "keys like 'board: raspberry-pi-4'", problems) else {
      return nil
    }
    let name = fields.required("board", example: "raspberry-pi-4")?.name() ?? ""
    let title = fields.required("title", example: "Raspberry Pi 4 Model B")?.text() ?? name
    let simulated = fields.optional("simulated")?.state() ?? false
    let chip = fields.optional("chip")?.text() ?? ""
    let lines = elements(fields, "lines").compactMap { line($0, chip) }
    let buses = elements(fields, "buses").compactMap { bus($0) }
    let supplies = supplyPins(fields)
    let startHigh = fields.optional("start_high")?.text()
    let startLow = fields.optional("start_low")?.text()
    fields.finish()
    reportDuplicates(lines, supplies)
    return BoardDescription(
      mark: root.mark, name: name, title: title, simulated: simulated, lines: lines, buses: buses,
      supplyPins: supplies, startHighHint: startHigh, startLowHint: startLow)
  }

  private func elements(_ fields: Fields, _ key: String) -> [Node] {
    guard let field = fields.optional(key) else { return [] }
    if case .sequence(let nodes) = field.node.content { return nodes }
    field.reject(wanted: "a list")
    return []
  }

  private func line(_ node: Node, _ boardChip: String) -> LineDescription? {
    guard let fields = Fields(node, owner: "this line", wanted: "a line like { line: GPIO17 }", problems),
      let name = fields.required("line", example: "GPIO17")?.text()
    else { return nil }
    fields.owner = "line " + name.quoted
    let chip = fields.optional("chip")?.text() ?? boardChip
    if chip.utf8.isEmpty { problems.report(node.mark, "no chip for line \(name.quoted)", "add chip: LABEL") }
    let pin = fields.optional("pin")?.integer(wanted: "a pin number", in: 1...BoardReader.mostPins)
    var pull: LineDescription.Pull?
    if let choice = fields.optional("pull")?.choice(["up", "down", "none"]) {
      pull = choice == 0 ? .up : choice == 1 ? .down : LineDescription.Pull.none
    }
    let names = kernelNames(fields, name)
    let reserved = fields.optional("reserved")?.text()
    fields.finish()
    return LineDescription(
      mark: node.mark, name: name, chip: chip, kernelNames: names, pin: pin, powerUpPull: pull,
      reserved: reserved)
  }

  /// The line's own name and `also`, names that other kernels give it.
  private func kernelNames(_ fields: Fields, _ name: String) -> [String] {
    [name] + texts(fields, "also")
  }

  private func texts(_ fields: Fields, _ key: String) -> [String] {
    let owner = fields.owner
    return elements(fields, key).compactMap { node in
      Field(node: node, key: key, owner: owner, problems: problems).text(wanted: "a list of names")
    }
  }

  private func bus(_ node: Node) -> BusDescription? {
    guard let fields = Fields(node, owner: "this bus", wanted: "a bus like { bus: i2c-1 }", problems),
      let name = fields.required("bus", example: "i2c-1")?.text()
    else { return nil }
    fields.owner = "bus " + name.quoted
    let device = fields.optional("device")?.text() ?? "/dev/" + name
    let lines = texts(fields, "lines")
    let hint = fields.optional("enable")?.text()
    fields.finish()
    return BusDescription(mark: node.mark, name: name, device: device, lines: lines, enableHint: hint)
  }

  /// `supply: { 3.3V: [1, 17] }`
  private func supplyPins(_ fields: Fields) -> [BoardDescription.SupplyPin] {
    guard let field = fields.optional("supply") else { return [] }
    guard case .mapping(let entries) = field.node.content else {
      field.reject(wanted: "a mapping like { GND: [6, 9] }")
      return []
    }
    var pins: [BoardDescription.SupplyPin] = []
    for entry in entries {
      guard case .sequence(let nodes) = entry.value.content else {
        problems.report(entry.value.mark, "expected a list of pins, not \(entry.value.description)")
        continue
      }
      for node in nodes {
        let field = Field(node: node, key: entry.key, owner: "'supply'", problems: problems)
        guard let pin = field.integer(wanted: "a pin number", in: 1...BoardReader.mostPins) else { continue }
        pins.append(BoardDescription.SupplyPin(pin: pin, supply: entry.key))
      }
    }
    return pins
  }

  private func reportDuplicates(_ lines: [LineDescription], _ supplies: [BoardDescription.SupplyPin]) {
    for (index, line) in lines.enumerated() {
      for other in lines[..<index] {
        for name in line.kernelNames where other.isCalled(name) && other.chip.equals(line.chip) {
          problems.report(line.mark, "two lines are called \(name.quoted)")
        }
        if let pin = line.pin, other.pin == pin { problems.report(line.mark, "pin \(pin) is given twice") }
      }
      for supply in supplies where supply.pin == line.pin {
        problems.report(line.mark, "pin \(supply.pin) is \(supply.supply) as well")
      }
    }
  }
}
