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
  /// A board that is only read to see whether it is meant has no guesses of its own.
  var guesses = true

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
    guard let written = field.text(wanted: Field.wantedName) else { return nil }
    // A file name must never come from other characters than a name has.
    let quiet = Field(node: field.node, key: field.key, owner: field.owner, problems: Problems())
    guard let name = quiet.name() else {
      if let near = meant(written) { return reportUnknown(written, near, field.mark) }
      _ = field.name(proposes: false)
      return nil
    }
    guard let file = surroundings.boardFile(name) else {
      if let trouble = surroundings.boardTrouble(name) {
        problems.report(field.mark, "board \(name.quoted) cannot be looked up", trouble)
        return nil
      }
      return reportUnknown(name, meant(name), field.mark)
    }
    let reader = BoardReader(problems: problems, surroundings: surroundings, layer: layer, guesses: guesses)
    guard let board = reader.read(file) else { return nil }
    if !board.name.equals(name), !board.name.utf8.isEmpty {
      problems.report(board.mark, "the file of board \(name.quoted) describes \(board.name.quoted)")
    }
    return board
  }

  // MARK: - What there is instead

  private func reportUnknown(_ name: String, _ near: Message?, _ mark: Mark) -> BoardDescription? {
    let names = sortedNames()
    let places = listed(surroundings.boardPlaces(), last: "and")
    var suggestion: Message = "boards are \(listed(names))"
    if names.isEmpty { suggestion = "there are no board files" }
    if let near { suggestion = "\(near) \(suggestion)" }
    if !places.utf8.isEmpty { suggestion += ", looked for in \(places)" }
    if names.isEmpty, let place = surroundings.boardPlaces().last {
      suggestion += ": copy the files of Swiftlet's boards/, and its folder headers/, to \(place)"
    }
    problems.report(mark, "unknown board \(name.quoted)", suggestion)
    return nil
  }

  private func sortedNames() -> [String] {
    var sorted: [String] = []
    for name in surroundings.boardNames() {
      var index = sorted.count
      while index > 0, comesBefore(name.bytes, sorted[index - 1].bytes) { index -= 1 }
      sorted.insert(name, at: index)
    }
    return sorted
  }

  private func comesBefore(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    for index in left.indices {
      if index == right.count || left[index] > right[index] { return false }
      if left[index] < right[index] { return true }
    }
    return left.count < right.count
  }

  /// The board that people call so, or of whose name it is a slip.
  private func meant(_ name: String) -> Message? {
    guard guesses else { return nil }
    var names: [String] = []
    for candidate in sortedNames() {
      guard let board = read(candidate) else { continue }
      if spelled(name, among: [candidate, board.title] + board.otherNames, others: []) != nil {
        return "did you mean \(candidate.quoted)?"
      }
      names.append(candidate)
    }
    return didYouMean(name, names)
  }

  /// A board whose file is right: whoever takes it finds no errors there.
  private func read(_ name: String) -> BoardDescription? {
    let scratch = Problems()
    var finder = BoardFinder(problems: scratch, surroundings: surroundings)
    finder.guesses = false
    let board = finder.find(BoardReference(mark: Mark(file: ""), name: name))
    return scratch.isEmpty ? board : nil
  }
}
