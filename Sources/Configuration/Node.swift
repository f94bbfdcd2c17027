/// A value of a YAML file and where it stands.
final class Node {
  enum Content {
    case scalar(String)
    case sequence([Node])
    case mapping([Entry])
    /// Something that was already complained about.
    case invalid
  }

  final class Entry {
    let key: String
    let mark: Mark
    let value: Node

    init(key: String, mark: Mark, value: Node) {
      self.key = key
      self.mark = mark
      self.value = value
    }
  }

  var content: Content
  let mark: Mark
  /// Written as `!secret name`: once replaced, its text stays out of messages.
  let isSecret: Bool

  init(_ content: Content, _ mark: Mark, isSecret: Bool = false) {
    self.content = content
    self.mark = mark
    self.isSecret = isSecret
  }

  /// What it is, for messages that wanted something else.
  var description: String {
    switch content {
    case .scalar(let text):
      if isSecret { return "that secret" }
      return text.utf8.isEmpty ? "nothing" : text.quoted
    case .sequence: return "a list"
    case .mapping: return "a mapping"
    case .invalid: return "nothing"
    }
  }
}
