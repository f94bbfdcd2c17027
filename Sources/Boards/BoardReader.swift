import DeviceFile

extension BoardDescription {
  /// Reads a board file, and through `surroundings` the header or carrier board that it names.
  public static func load(
    _ file: SourceFile, surroundings: any ConfigurationSurroundings
  ) throws(ConfigurationErrors) -> BoardDescription {
    let problems = Problems()
    let board = BoardReader(problems: problems, surroundings: surroundings).read(file)
    if let board, problems.isEmpty { return board }
    throw ConfigurationErrors(list: problems.inOrder)
  }
}

/// Reads the tree of a board file.
struct BoardReader {
  static let mostPins = 64
  /// A profile over a profile over a board; more is a circle.
  private static let mostLayers = 3

  let problems: Problems
  let surroundings: any ConfigurationSurroundings
  /// How many boards stand on this one.
  var layer = 0

  func read(_ file: SourceFile) -> BoardDescription? {
    guard let root = YAMLReader.read(file, problems),
      let fields = Fields(root, owner: "", wanted: "keys like 'board: raspberry-pi-4'", problems)
    else { return nil }
    let name = fields.required("board", example: "raspberry-pi-4")?.name() ?? ""
    let title = fields.required("title", example: "Raspberry Pi 4 Model B")?.text() ?? name
    var board = base(fields) ?? BoardDescription(
      mark: root.mark, name: name, title: title, simulated: false, lines: [], buses: [], supplyPins: [])
    (board.mark, board.name, board.title) = (root.mark, name, title)
    if let simulated = fields.optional("simulated")?.state() { board.simulated = simulated }
    readLines(fields, into: &board)
    readBuses(fields, into: &board)
    board.supplyPins += supplyPins(fields)
    if let hint = fields.optional("start_high")?.text() { board.startHighHint = hint }
    if let hint = fields.optional("start_low")?.text() { board.startLowHint = hint }
    fields.finish()
    reportDuplicates(board)
    return board
  }

  // MARK: - What a board stands on

  /// The carrier board that this is a profile of, or the header that many boards have.
  private func base(_ fields: Fields) -> BoardDescription? {
    let header = fields.optional("header")
    guard let carrier = fields.optional("carrier") else { return header.flatMap { self.header($0) } }
    if let header { header.report("'header' beside 'carrier'", "the carrier has the header") }
    guard let name = carrier.name() else { return nil }
    guard layer < BoardReader.mostLayers else {
      carrier.report("carriers of carriers of carriers", "name the board itself")
      return nil
    }
    return BoardFinder(problems: problems, surroundings: surroundings)
      .find(name, at: carrier.mark, layer: layer + 1)
  }

  private func header(_ field: Field) -> BoardDescription? {
    guard let name = field.name() else { return nil }
    guard let file = surroundings.headerFile(name) else {
      field.report("there is no header \(name.quoted)", "headers are files in boards/headers/")
      return nil
    }
    guard let root = YAMLReader.read(file, problems),
      let fields = Fields(root, owner: "", wanted: "keys like 'header: rpi-40'", problems)
    else { return nil }
    _ = fields.required("header", example: "rpi-40")?.name()
    var header = BoardDescription(
      mark: root.mark, name: name, title: name, simulated: false, lines: [], buses: [],
      supplyPins: supplyPins(fields))
    let nothing = header
    for node in elements(fields, "lines") {
      if let line = line(node, nothing, nothing, chip: nil) { header.lines.append(line) }
    }
    fields.finish()
    return header
  }

  // MARK: - Lines

  private func elements(_ fields: Fields, _ key: String) -> [Node] {
    guard let field = fields.optional(key) else { return [] }
    if case .sequence(let nodes) = field.node.content { return nodes }
    field.reject(wanted: "a list")
    return []
  }

  private func readLines(_ fields: Fields, into board: inout BoardDescription) {
    let chip = fields.optional("chip")?.text() ?? ""
    for index in board.lines.indices where board.lines[index].chip.utf8.isEmpty { board.lines[index].chip = chip }
    let base = board
    for node in elements(fields, "lines") {
      guard let line = line(node, base, board, chip: chip) else { continue }
      if let index = board.lines.firstIndex(where: { $0.mark.isSame(as: line.mark) }) {
        board.lines[index] = line
      } else {
        board.lines.append(line)
      }
    }
    if base.lines.contains(where: { $0.chip.utf8.isEmpty }) {
      problems.report(fields.mark, "no chip for the lines of the header", "add chip: LABEL")
    }
  }

  /// A line of the board's own, or more about one of the header's or the carrier's. `chip`: of lines that name none;
  /// nil: they get one later.
  /// `base` is what the board stands on, `sofar` the same with the entries before this one.
  private func line(
    _ node: Node, _ base: BoardDescription, _ sofar: BoardDescription, chip: String?
  ) -> LineDescription? {
    guard let fields = Fields(node, owner: "this line", wanted: "a line like { line: GPIO17 }", problems),
      let name = fields.required("line", example: "GPIO17")?.text()
    else { return nil }
    fields.owner = "line " + name.quoted
    let known = fields.entry("is") == nil ? known(base, name, node.mark) : renamed(fields, name, sofar)
    guard var line = known else { return nil }
    if let own = fields.optional("chip")?.text() ?? (line.chip.utf8.isEmpty ? chip : nil) { line.chip = own }
    if chip != nil, line.chip.utf8.isEmpty {
      problems.report(node.mark, "no chip for line \(name.quoted)", "add chip: LABEL")
    }
    if let pin = fields.optional("pin")?.integer(wanted: "a pin number", in: 1...BoardReader.mostPins) {
      line.pin = pin
    }
    if let choice = fields.optional("pull")?.choice(["up", "down", "none"]) {
      line.powerUpPull = choice == 0 ? .up : choice == 1 ? .down : LineDescription.Pull.none
    }
    line.kernelNames += texts(fields, "also")
    if let reserved = fields.optional("reserved")?.text() { line.reserved = reserved }
    if let slow = fields.optional("slow")?.state() { line.isSlow = slow }
    fields.finish()
    return line
  }

  /// What the header or the carrier says of the line.
  private func known(_ base: BoardDescription, _ name: String, _ mark: Mark) -> LineDescription {
    base.lines.first { $0.name.equals(name) }
      ?? LineDescription(mark: mark, name: name, chip: "", kernelNames: [name])
  }

  /// A line of the carrier by the profile's name: `{ line: D13, is: GPIO17 }`. Everything else stays the carrier's.
  private func renamed(_ fields: Fields, _ name: String, _ board: BoardDescription) -> LineDescription? {
    guard let field = fields.optional("is"), let other = field.text(wanted: "a line of the carrier") else {
      return nil
    }
    guard var line = board.line(other) else {
      let suggestion = didYouMean(other, board.lines.map { $0.name })
      field.report("the carrier has no line \(other.quoted)", suggestion)
      return nil
    }
    line.aliases.append(line.name)
    line.name = name
    return line
  }

  private func texts(_ fields: Fields, _ key: String) -> [String] {
    let owner = fields.owner
    return elements(fields, key).compactMap { node in
      Field(node: node, key: key, owner: owner, problems: problems).text(wanted: "a list of names")
    }
  }

  // MARK: - Buses and supply

  private func readBuses(_ fields: Fields, into board: inout BoardDescription) {
    for node in elements(fields, "buses") {
      guard let bus = bus(node, board) else { continue }
      if let index = board.buses.firstIndex(where: { $0.mark.isSame(as: bus.mark) }) {
        board.buses[index] = bus
      } else {
        board.buses.append(bus)
      }
    }
  }

  private func bus(_ node: Node, _ base: BoardDescription) -> BusDescription? {
    guard let fields = Fields(node, owner: "this bus", wanted: "a bus like { bus: i2c-1 }", problems),
      let name = fields.required("bus", example: "i2c-1")?.text()
    else { return nil }
    fields.owner = "bus " + name.quoted
    if let field = fields.optional("is") {
      defer { fields.finish() }
      guard let other = field.text(wanted: "a bus of the carrier") else { return nil }
      guard var bus = base.bus(other) else {
        field.report("the carrier has no bus \(other.quoted)", didYouMean(other, base.buses.map { $0.name }))
        return nil
      }
      bus.aliases.append(bus.name)
      bus.name = name
      return bus
    }
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

  private func reportDuplicates(_ board: BoardDescription) {
    for (index, line) in board.lines.enumerated() {
      for other in board.lines[..<index] {
        for name in line.kernelNames where other.isCalled(name) && other.chip.equals(line.chip) {
          problems.report(line.mark, "two lines are called \(name.quoted)")
        }
        if let pin = line.pin, other.pin == pin { problems.report(line.mark, "pin \(pin) is given twice") }
      }
      for supply in board.supplyPins where supply.pin == line.pin {
        problems.report(line.mark, "pin \(supply.pin) is \(supply.supply) as well")
      }
    }
  }
}
