import DeviceFile

/// The board that a device file or its caller names.
public struct BoardReference: Sendable {
  public var mark: Mark
  /// As it is written: it may be no name.
  public var name: String

  public init(mark: Mark, name: String) {
    self.mark = mark
    self.name = name
  }
}

/// Finds the board that a device wants.
public struct BoardFinder {
  let problems: Problems
  let surroundings: any ConfigurationSurroundings

  public init(problems: Problems, surroundings: any ConfigurationSurroundings) {
    self.problems = problems
    self.surroundings = surroundings
  }

  public func find(_ reference: BoardReference) -> BoardDescription? {
    // An empty name has been reported.
    guard !reference.name.utf8.isEmpty else { return nil }
    let node = Node(.scalar(reference.name), reference.mark)
    return find(Field(node: node, key: "board", owner: "", problems: problems), layer: 0)
  }

  func find(_ field: Field, layer: Int) -> BoardDescription? {
    // What is no name may be a board's usual spelling; a file name must never come from other characters.
    if let spellings = problems.spellings, spellings.board(field, surroundings) { return nil }
    guard let name = field.name(proposes: false) else { return nil }
    guard let file = surroundings.boardFile(name) else {
      if let trouble = surroundings.boardTrouble(name) {
        problems.report(field.mark, "board \(name.quoted) cannot be looked up", trouble)
      } else {
        reportUnknown(name, nil, field.mark)
      }
      return nil
    }
    let reader = BoardReader(problems: problems, surroundings: surroundings, layer: layer)
    guard let board = reader.read(file) else { return nil }
    if !board.name.equals(name), !board.name.utf8.isEmpty {
      problems.report(board.mark, "the file of board \(name.quoted) describes \(board.name.quoted)")
    }
    return board
  }

  // MARK: - What there is instead

  @inline(never)
  fileprivate func reportUnknown(_ name: String, _ near: String?, _ mark: Mark) {
    let names = surroundings.boardNames()
    let places = surroundings.boardPlaces()
    var suggestion: Message = names.isEmpty ? "there are no board files" : "boards are \(listed(names))"
    if let near { suggestion = "did you mean \(near.quoted)? \(suggestion)" }
    if let last = places.last {
      suggestion += ", looked for in \(listed(places))"
      if names.isEmpty {
        suggestion += ": copy the files of Swiftlet's boards/, and its folder headers/, to \(last)"
      }
    }
    problems.report(mark, "unknown board \(name.quoted)", suggestion)
  }
}

extension Spellings {
  /// The usual spellings of parts, versions and boards.
  public static var usual: Spellings {
    Spellings { field, surroundings in
      guard case .scalar(let name) = field.node.content, !field.node.isSecret, !name.utf8.isEmpty else {
        return false
      }
      let quiet = Field(node: field.node, key: field.key, owner: field.owner, problems: Problems())
      if let name = quiet.name(),
        surroundings.boardFile(name) != nil || surroundings.boardTrouble(name) != nil
      {
        return false
      }
      let board = meant(name, surroundings)
      // Words with spaces are a title, of a board that there is no file of.
      guard board != nil || name.bytes.contains(0x20) else { return false }
      BoardFinder(problems: field.problems, surroundings: surroundings).reportUnknown(name, board, field.mark)
      return true
    }
  }

  /// The board that people call so, or of whose name it is a slip.
  private static func meant(_ name: String, _ surroundings: any ConfigurationSurroundings) -> String? {
    var names: [String] = []
    for candidate in surroundings.boardNames() {
      guard let board = read(candidate, surroundings) else { continue }
      if find(name, among: [candidate, board.title] + board.otherNames) != nil { return candidate }
      names.append(candidate)
    }
    return nearest(to: name, in: names)
  }

  /// A board whose file is right: whoever takes it finds no errors there. It is read without spellings, so that it
  /// guesses at nothing itself.
  private static func read(_ name: String, _ surroundings: any ConfigurationSurroundings) -> BoardDescription?
  {
    let scratch = Problems()
    let finder = BoardFinder(problems: scratch, surroundings: surroundings)
    let board = finder.find(BoardReference(mark: Mark(file: ""), name: name))
    return scratch.isEmpty ? board : nil
  }
}
