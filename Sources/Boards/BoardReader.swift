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

  /// Adds the `lines` and `buses` of a device file, which are checked like a board file's.
  public func add(
    lines: Field?, buses: Field?, _ problems: Problems, _ surroundings: any ConfigurationSurroundings
  ) {
    guard lines != nil || buses != nil else { return }
    BoardReader(problems: problems, surroundings: surroundings).extend(self, lines: lines, buses: buses)
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
    let board = base(fields) ?? BoardDescription(mark: root.mark, name: name, title: title)
    (board.mark, board.name, board.title) = (root.mark, name, title)
    board.otherNames = texts(fields, "also")
    if let simulated = fields.optional("simulated")?.state() { board.simulated = simulated }
    readLines(fields, into: board)
    for node in elements(fields, "buses") { readBus(node, into: board) }
    board.supplyPins += supplyPins(fields)
    if let hint = fields.optional("start_high")?.text() { board.startHighHint = hint }
    if let hint = fields.optional("start_low")?.text() { board.startLowHint = hint }
    fields.finish()
    reportDuplicates(board)
    return board
  }

  /// What a device file says of its board besides.
  func extend(_ board: BoardDescription, lines: Field?, buses: Field?) {
    let base = board.lines
    for node in elements(lines) { readLine(node, into: board, known: base, chip: "") }
    for node in elements(buses) { readBus(node, into: board) }
    reportDuplicates(board)
  }

  // MARK: - What a board stands on

  /// The carrier board that this is a profile of, or the header that many boards have.
  private func base(_ fields: Fields) -> BoardDescription? {
    let header = fields.optional("header")
    guard let carrier = fields.optional("carrier") else { return header.flatMap { self.header($0) } }
    if let header { header.report("'header' beside 'carrier'", "the carrier has the header") }
    guard layer < BoardReader.mostLayers else {
      carrier.report("carriers of carriers of carriers", "name the board itself")
      return nil
    }
    return BoardFinder(problems: problems, surroundings: surroundings)
      .find(carrier, layer: layer + 1)
  }

  private func header(_ field: Field) -> BoardDescription? {
    guard let name = field.name(proposes: false) else { return nil }
    guard let file = surroundings.headerFile(name) else {
      if let trouble = surroundings.boardTrouble("headers/" + name) {
        field.report("header \(name.quoted) cannot be looked up", trouble)
      } else {
        reportMissing(name, field)
      }
      return nil
    }
    guard let root = YAMLReader.read(file, problems),
      let fields = Fields(root, owner: "", wanted: "keys like 'header: rpi-40'", problems)
    else { return nil }
    _ = fields.required("header", example: "rpi-40")?.name()
    let header = BoardDescription(mark: root.mark, name: name, title: name)
    header.supplyPins = supplyPins(fields)
    for node in elements(fields, "lines") { readLine(node, into: header, chip: nil) }
    fields.finish()
    return header
  }

  /// Whoever copies a board's file alone has not copied what it stands on.
  private func reportMissing(_ header: String, _ field: Field) {
    var cure: Message = "headers are files in boards/headers/"
    let places = surroundings.boardPlaces()
    if let last = places.last { cure += ", copy that folder to \(last)" }
    field.report("there is no header \(header.quoted)", cure)
  }

  // MARK: - Lines

  private func elements(_ fields: Fields, _ key: String) -> [Node] { elements(fields.optional(key)) }

  private func elements(_ field: Field?) -> [Node] {
    guard let field else { return [] }
    if case .sequence(let nodes) = field.node.content { return nodes }
    field.reject(wanted: "a list")
    return []
  }

  private func readLines(_ fields: Fields, into board: BoardDescription) {
    let chip = fields.optional("chip")?.text() ?? ""
    var isIncomplete = false
    for line in board.lines where line.chip.utf8.isEmpty {
      line.chip = chip
      isIncomplete = chip.utf8.isEmpty
    }
    if isIncomplete { problems.report(fields.mark, "no chip for the lines of the header", "add chip: LABEL") }
    let base = board.lines
    for node in elements(fields, "lines") { readLine(node, into: board, known: base, chip: chip) }
  }

  /// A line of the board's own, or more about one of the header's or the carrier's, which are `known`. `chip`: of
  /// lines that name none; nil: they get one later.
  private func readLine(
    _ node: Node, into board: BoardDescription, known: [LineDescription] = [], chip: String?
  ) {
    guard let fields = Fields(node, owner: "this line", wanted: "a line like { line: GPIO17 }", problems),
      let name = fields.required("line", example: "GPIO17")?.text()
    else { return }
    fields.owner = ("line \(name.quoted)" as Message).text
    guard let line = line(fields, name, board, known) else { return }
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
    line.aliases += texts(fields, "called")
    if let reserved = fields.optional("reserved")?.text() { line.reserved = reserved }
    if let slow = fields.optional("slow")?.state() { line.isSlow = slow }
    fields.finish()
  }

  /// The line that an entry is about: one that is known, one by another name (`{ line: D13, is: GPIO17 }`: everything
  /// else stays the carrier's), or a new one. Nil: it `is` one that does not exist.
  private func line(_ fields: Fields, _ name: String, _ board: BoardDescription, _ known: [LineDescription])
    -> LineDescription?
  {
    guard let field = fields.optional("is") else {
      if let line = known.first(where: { $0.name.equals(name) }) { return line }
      let line = LineDescription(mark: fields.mark, name: name)
      board.lines.append(line)
      return line
    }
    guard let other = field.text(wanted: "a line of the carrier") else { return nil }
    guard let line = board.line(other) else {
      field.report("the board has no line \(other.quoted)")
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

  private func readBus(_ node: Node, into board: BoardDescription) {
    guard let fields = Fields(node, owner: "this bus", wanted: "a bus like { bus: i2c-1 }", problems),
      let name = fields.required("bus", example: "i2c-1")?.text()
    else { return }
    fields.owner = ("bus \(name.quoted)" as Message).text
    if let field = fields.optional("is") {
      rename(field, name, board)
    } else {
      let known = board.bus(name)
      let bus = known ?? BusDescription(mark: node.mark, name: name)
      if let device = fields.optional("device")?.text() { bus.device = device }
      bus.lines += texts(fields, "lines")
      if let hint = fields.optional("enable")?.text() { bus.enableHint = hint }
      if known == nil { board.buses.append(bus) }
    }
    fields.finish()
  }

  /// `{ bus: I2C0, is: i2c-1 }`
  private func rename(_ field: Field, _ name: String, _ board: BoardDescription) {
    guard let other = field.text(wanted: "a bus of the carrier") else { return }
    guard let bus = board.bus(other) else {
      field.report("the board has no bus \(other.quoted)")
      return
    }
    bus.aliases.append(bus.name)
    bus.name = name
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
        for name in line.kernelNames
        where other.isCalled(name) && (other.chip.equals(line.chip) || other.name.equals(name)) {
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
