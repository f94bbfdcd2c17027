/// A device file that is right, the board it runs on, and what is worth a warning.
public struct DeviceConfiguration: Sendable {
  public var device: DeviceDescription
  public var board: BoardDescription
  public var warnings: [ConfigurationError]

  /// Reads a device file and everything it refers to, and checks it without touching hardware.
  ///
  /// `board` stands in for the board that the file names; the variable `SWIFTLET_MQTT` for its broker URL.
  public static func load(
    _ file: SourceFile, drivers: [DriverDescription], board: String? = nil,
    surroundings: any ConfigurationSurroundings
  ) throws(ConfigurationErrors) -> DeviceConfiguration {
    let problems = Problems()
    guard let root = YAMLReader.read(file, problems) else {
      throw ConfigurationErrors(list: problems.inOrder)
    }
    var substitution = Substitution(problems, surroundings)
    substitution.apply(to: root)
    let reader = DeviceReader(problems: problems, drivers: drivers, surroundings: surroundings)
    let device = reader.read(root, board: board)
    let found = BoardFinder(problems: problems, surroundings: surroundings).find(device.board)
    let warnings = Problems()
    BoardCheck(device: device, board: found, problems: problems, warnings: warnings).run()
    device.warnOfLostTimes(warnings)
    guard let found, problems.isEmpty else { throw ConfigurationErrors(list: problems.inOrder) }
    return DeviceConfiguration(device: device, board: found, warnings: warnings.inOrder)
  }
}

/// Finds the board that a device wants.
struct BoardFinder {
  let problems: Problems
  let surroundings: any ConfigurationSurroundings

  func find(_ reference: BoardReference) -> BoardDescription? {
    // An empty name has been reported; a file name must never come from other characters.
    guard !reference.name.utf8.isEmpty else { return nil }
    let node = Node(.scalar(reference.name), reference.mark)
    guard let name = Field(node: node, key: "board", owner: "", problems: problems).name() else { return nil }
    guard let file = surroundings.boardFile(name) else {
      reportMissing(reference)
      return nil
    }
    guard let board = BoardDescription.read(file, problems) else { return nil }
    if !board.name.equals(name), !board.name.utf8.isEmpty {
      problems.report(board.mark, "the file of board \(name.quoted) describes \(board.name.quoted)")
    }
    return board
  }

  private func reportMissing(_ reference: BoardReference) {
    if let trouble = surroundings.boardTrouble(reference.name) {
      problems.report(reference.mark, "board \(reference.name.quoted) cannot be looked up", trouble)
      return
    }
    let names = surroundings.boardNames()
    var suggestion: Message = names.isEmpty ? "there are no board files" : "boards are \(listed(names))"
    if let near = didYouMean(reference.name, names) { suggestion = "\(near) \(suggestion)" }
    problems.report(reference.mark, "unknown board \(reference.name.quoted)", suggestion)
  }
}
