/// A value of a YAML file and where it stands.
public final class Node {
  public enum Content {
    case scalar(String)
    case sequence([Node])
    case mapping([Entry])
    /// Something that was already complained about.
    case invalid
  }

  public final class Entry {
    public let key: String
    public let mark: Mark
    public let value: Node

    public init(key: String, mark: Mark, value: Node) {
      self.key = key
      self.mark = mark
      self.value = value
    }
  }

  public var content: Content
  public let mark: Mark
  /// Written as `!secret name`: once replaced, its text stays out of messages.
  public let isSecret: Bool

  public init(_ content: Content, _ mark: Mark, isSecret: Bool = false) {
    self.content = content
    self.mark = mark
    self.isSecret = isSecret
  }

  /// What it is, for messages that wanted something else.
  public var description: String {
    switch content {
    case .scalar(let text):
      if isSecret { return "that secret" }
      return text.utf8.isEmpty ? "nothing" : text.quoted.string
    case .sequence: return "a list"
    case .mapping: return "a mapping"
    case .invalid: return "nothing"
    }
  }
}
