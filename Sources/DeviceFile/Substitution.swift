/// Replaces `${NAME}`, `${NAME:-default}` and `!secret name` in a tree that has been read.
///
/// It works on finished values, so what a variable holds can never change the structure of the file.
public struct Substitution {
  private let problems: Problems
  private let surroundings: any ConfigurationSurroundings
  /// The mapping of `secrets.yaml`, once it was needed.
  private var secrets: [Node.Entry] = []
  private var secretsName = "secrets.yaml"
  private var secretsAreRead = false

  public init(_ problems: Problems, _ surroundings: any ConfigurationSurroundings) {
    self.problems = problems
    self.surroundings = surroundings
  }

  public mutating func apply(to node: Node) {
    switch node.content {
    case .scalar(let text):
      if node.isSecret {
        node.content = secret(text, node.mark)
      } else if text.bytes.contains(0x24) {
        node.content = expand(text, node.mark)
      }
    case .sequence(let elements):
      for element in elements { apply(to: element) }
    case .mapping(let entries):
      for entry in entries { apply(to: entry.value) }
    case .invalid:
      break
    }
  }

  // MARK: - Secrets

  private mutating func secret(_ name: String, _ mark: Mark) -> Node.Content {
    guard !name.utf8.isEmpty else {
      problems.report(mark, "'!secret' without a name", "for example !secret mqtt_password")
      return .invalid
    }
    readSecrets(for: name, mark)
    if let entry = secrets.first(where: { $0.key.equals(name) }) {
      if case .scalar(let text) = entry.value.content, !text.utf8.isEmpty, !entry.value.isSecret {
        return .scalar(text)
      }
      problems.report(entry.value.mark, "secret \(name.quoted) must be a text")
    } else if !secrets.isEmpty {
      let suggestion = didYouMean(name, secrets.map { $0.key })
      problems.report(mark, "no secret \(name.quoted) in \(secretsName)", suggestion)
    }
    return .invalid
  }

  private mutating func readSecrets(for name: String, _ mark: Mark) {
    guard !secretsAreRead else { return }
    secretsAreRead = true
    if let trouble = surroundings.secretsTrouble() {
      return problems.report(mark, "secret \(name.quoted) is wanted, and \(trouble)")
    }
    guard let file = surroundings.secretsFile() else {
      problems.report(
        mark, "secret \(name.quoted) is wanted, but there is no secrets.yaml to read",
        "put it beside the device file, with a line \(name): …")
      return
    }
    secretsName = file.name
    guard let root = YAMLReader.read(file, problems) else { return }
    if case .mapping(let entries) = root.content, !entries.isEmpty {
      secrets = entries
    } else {
      problems.report(root.mark, "expected lines like \(name): …")
    }
  }

  // MARK: - Variables

  private func expand(_ text: String, _ mark: Mark) -> Node.Content {
    let bytes = text.bytes
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes.begins(with: "$${".bytes, at: index) {
        // Two dollar signs stand for one.
        result.append(contentsOf: [0x24, 0x7B])
        index += 3
      } else if bytes.begins(with: "${".bytes, at: index) {
        guard let end = bytes[index...].firstIndex(of: 0x7D) else {
          problems.report(mark, "'${' without '}'", "write '$${' if it is meant literally")
          return .invalid
        }
        guard let value = value(of: Array(bytes[(index + 2)..<end]), mark) else { return .invalid }
        result.append(contentsOf: value)
        index = end + 1
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    guard result.count <= YAMLReader.longestScalar else {
      problems.report(
        mark, "a text longer than \(YAMLReader.longestScalar) bytes with its variables replaced")
      return .invalid
    }
    return .scalar(String(decoding: result, as: UTF8.self))
  }

  /// The value of `NAME` or `NAME:-default`; nil when it was reported.
  private func value(of expression: [UInt8], _ mark: Mark) -> [UInt8]? {
    let nameEnd = expression.firstIndex(of: 0x3A) ?? expression.endIndex
    let name = String(decoding: expression[..<nameEnd], as: UTF8.self)
    let hasFallback = expression.begins(with: ":-".bytes, at: nameEnd)
    guard nameEnd == expression.endIndex || hasFallback, Substitution.isVariableName(name) else {
      let text = String(decoding: expression, as: UTF8.self)
      problems.report(mark, "'${\(text)}' names no variable", "write ${NAME} or ${NAME:-default}")
      return nil
    }
    // As in a shell: with `:-` an empty variable counts as unset.
    if let value = surroundings.variable(name), !hasFallback || !value.utf8.isEmpty {
      return value.bytes
    }
    if hasFallback { return Array(expression[(nameEnd + 2)...]) }
    problems.report(
      mark, "environment variable \(name) is not set", "set it, or give a default: ${\(name):-default}")
    return nil
  }

  private static func isVariableName(_ name: String) -> Bool {
    let bytes = name.bytes
    guard let first = bytes.first, !isDigit(first) else { return false }
    return bytes.allSatisfy { byte in
      let lower = lowercase(byte)
      return (lower >= 0x61 && lower <= 0x7A) || isDigit(byte) || byte == 0x5F
    }
  }
}
