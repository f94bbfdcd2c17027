import DeviceFile

/// A device file as people change it who do what a message says.
struct Following {
  let text: String
  let error: ConfigurationError

  /// Every way to follow the suggestion; nil: it names nothing to be written.
  var results: [String]? {
    guard let suggestion = error.suggestion else { return nil }
    if let word = match(#"did you mean '([^']*)'\?"#, suggestion)?[0] { return [replaced(by: word)] }
    if let words = match(#"did you mean '([^']*)', or '([^']*)', which is"#, suggestion) {
      return words.map(replaced)
    }
    if let words = match(#"^write line: (pin \d+) or line: (GPIO\d+)$"#, suggestion) {
      return [replacedKey("pin: " + token, by: "line: " + words[0])]
    }
    if let words = match(#"add one with (buses: .+)$"#, suggestion) { return [text + words[0] + "\n"] }
    if let words = match(#"^for example '([^']*)'$"#, suggestion) { return [replaced(by: words[0])] }
    if let words = match(#"^for example (\d+m?s)(?: or (\d+m?s))?$"#, suggestion) {
      return words.map(replaced)
    }
    if let words = match(#"^write (\d+min) for minutes$"#, suggestion) { return words.map(replaced) }
    if let words = match(#"^write (\w+://)HOST or"#, suggestion) { return [replaced(by: words[0] + token)] }
    if let words = match(#"^for example (\w+): (.+)$"#, suggestion) {
      return [adding("\(words[0]): \(words[1])")]
    }
    if let list = match(#"(?:^it has|drivers are|boards are|buses are) ([^;:]+)$"#, suggestion) {
      return items(list[0]).map(replaced)
    }
    if let ends = match(#"^lines are (\w+)…(\w+)$"#, suggestion) { return ends.map(replaced) }
    if suggestion.hasPrefix("leave") { return leavingOut(suggestion) }
    return nil
  }

  private func match(_ pattern: String, _ text: String) -> [String]? {
    guard let regex = try? Regex(pattern), let found = try? regex.firstMatch(in: text) else { return nil }
    return found.output.dropFirst().compactMap { $0.substring.map(String.init) }
  }

  /// `a, b and c`
  private func items(_ list: String) -> [String] {
    var items = list.replacing(" and ", with: ", ").replacing(" or ", with: ", ").split(separator: ", ")
    items.removeAll { $0.isEmpty }
    return items.map(String.init)
  }

  // MARK: - Places in the text

  private var start: String.Index {
    var rest = text[...]
    for _ in 1..<error.mark.line { rest = rest.drop { $0 != "\n" }.dropFirst() }
    return text.index(rest.startIndex, offsetBy: error.mark.column - 1)
  }

  /// The key or value that the message is about, with its quotes.
  private var token: String {
    let rest = text[start...]
    if let quote = rest.first, quote == "'" || quote == "\"" {
      let end = rest.dropFirst().firstIndex(of: quote) ?? rest.endIndex
      return String(rest[...end])
    }
    if rest.hasPrefix("${"), let end = rest.firstIndex(of: "}") { return String(rest[...end]) }
    var token = ""
    for (character, next) in zip(rest, rest.dropFirst() + "\n") {
      let isKeysEnd = character == ":" && next.isWhitespace
      if character.isNewline || ",}]".contains(character) || isKeysEnd { break }
      token.append(character)
    }
    return token
  }

  private func replacedKey(_ entry: String, by other: String) -> String { text.replacing(entry, with: other) }

  private func replaced(by word: String) -> String {
    let start = start
    var result = text
    result.replaceSubrange(start..<text.index(start, offsetBy: token.count), with: word)
    return result
  }

  /// Another key of the mapping that begins there.
  private func adding(_ line: String) -> String {
    var result = text
    if text[start] == "{" {
      let isEmpty = text[start...].dropFirst().drop { $0 == " " }.first == "}"
      result.insert(contentsOf: isEmpty ? line : line + ", ", at: text.index(after: start))
    } else {
      let indentation = String(repeating: " ", count: error.mark.column - 1)
      result.insert(contentsOf: line + "\n" + indentation, at: start)
    }
    return result
  }

  /// Without the key that the suggestion names, or else the message.
  private func leavingOut(_ suggestion: String) -> [String]? {
    guard let key = match(#"^leave '(\w+)' out"#, suggestion) ?? match(#"^'(\w+)'"#, error.message) else {
      return nil
    }
    let value = #"(?:\{[^{}]*\}|\[[^\]]*\]|[^,}\n]*)"#
    guard let regex = try? Regex(#",?[ ]*\b"# + key[0] + ": " + value) else { return nil }
    var result = text
    result.replace(regex, with: "", maxReplacements: 1)
    return [result.replacing("{,", with: "{")]
  }
}
