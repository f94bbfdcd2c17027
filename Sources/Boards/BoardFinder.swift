import DeviceFile

/// The board that a device file or its caller names.
public struct BoardReference: Sendable {
  public var mark: Mark
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
    // An empty name has been reported; a file name must never come from other characters.
    guard !reference.name.utf8.isEmpty else { return nil }
    let node = Node(.scalar(reference.name), reference.mark)
    guard let name = Field(node: node, key: "board", owner: "", problems: problems).name() else { return nil }
    return find(name, at: reference.mark, layer: 0)
  }

  func find(_ name: String, at mark: Mark, layer: Int) -> BoardDescription? {
    guard let file = surroundings.boardFile(name) else {
      reportMissing(name, mark)
      return nil
    }
    let reader = BoardReader(problems: problems, surroundings: surroundings, layer: layer)
    guard let board = reader.read(file) else { return nil }
    if !board.name.equals(name), !board.name.utf8.isEmpty {
      problems.report(board.mark, "the file of board \(name.quoted) describes \(board.name.quoted)")
    }
    return board
  }

  private func reportMissing(_ name: String, _ mark: Mark) {
    if let trouble = surroundings.boardTrouble(name) {
      problems.report(mark, "board \(name.quoted) cannot be looked up", trouble)
      return
    }
    let names = surroundings.boardNames()
    var suggestion: Message = names.isEmpty ? "there are no board files" : "boards are \(listed(names))"
    if let near = didYouMean(name, names) { suggestion = "\(near) \(suggestion)" }
    problems.report(mark, "unknown board \(name.quoted)", suggestion)
  }
}
