/// What configuration needs from outside the device file. `swiftletd` answers from its environment and
/// the file system, tests answer from memory.
public protocol ConfigurationSurroundings: AnyObject {
  /// An environment variable.
  func variable(_ name: String) -> String?
  /// `secrets.yaml` beside the device file.
  func secretsFile() -> SourceFile?
  /// Why there is none although it is there: it cannot be read. Nil: it is not there.
  func secretsTrouble() -> Message?
  /// The names of the board files there are, in order, for suggestions.
  func boardNames() -> [String]
  /// Where board files are looked for, for whoever has put one elsewhere.
  func boardPlaces() -> [String]
  /// `NAME.yaml` of the boards directory; `name` has no characters but a-z, 0-9, '-' and '_'.
  func boardFile(_ name: String) -> SourceFile?
  /// Why it is not known whether there is such a board: a file or directory that is there and cannot be read. Nil: it
  /// is known.
  func boardTrouble(_ name: String) -> Message?
  /// `headers/NAME.yaml` of the boards directory: what many boards have on their header.
  func headerFile(_ name: String) -> SourceFile?
}

extension ConfigurationSurroundings {
  public func boardPlaces() -> [String] { [] }

  public func secretsTrouble() -> Message? { nil }

  public func boardTrouble(_ name: String) -> Message? { nil }
}
