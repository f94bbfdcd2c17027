import DeviceFile

/// What the two states of an output or an input are called on its topics: `ON` and `OFF`, or words of one's own.
public final class StateWords: Sendable {
  public let on: String
  public let off: String

  public init(on: String = "ON", off: String = "OFF") {
    self.on = on
    self.off = off
  }

  /// Writes the word of a state.
  public func write(_ isOn: Bool, to text: inout FixedText) {
    text.append(isOn ? on : off)
  }

  /// The state that a command wishes; nil: it says something else. Words of one's own come first: what usually means
  /// on, such as `1`, may mean off here.
  public func state(_ command: FixedText) -> Bool? {
    if command.matches(text: StateWords.plain(on)) { return true }
    if command.matches(text: StateWords.plain(off)) { return false }
    if command.matches("ON") || command.matches("1") || command.matches("true") { return true }
    if command.matches("OFF") || command.matches("0") || command.matches("false") { return false }
    return nil
  }

  /// `use ON, OFF` with what may be sent besides: ` or TOGGLE`.
  public func advice(_ lead: StaticString, between: StaticString, _ rest: StaticString) -> FixedText {
    var text = FixedText()
    text.append(lead)
    text.append(on)
    text.append(between)
    text.append(off)
    text.append(rest)
    return text
  }

  /// As a command that says so arrives at its module.
  static func plain(_ word: String) -> FixedText { FixedText(word).unwrapped.state }
}

// `on_payload` and `off_payload` of whatever has two states.
extension ModuleFile {
  private static let longestWord = 64

  /// `commands`: what may be sent besides, which is no word for a state.
  public func stateWords(besides commands: [String] = []) -> StateWords {
    let (on, off) = (fields.optional("on_payload"), fields.optional("off_payload"))
    guard let field = off ?? on else { return StateWords() }
    let words = StateWords(
      on: on.flatMap { word($0, commands) } ?? "ON", off: off.flatMap { word($0, commands) } ?? "OFF")
    if StateWords.plain(words.on).matches(text: StateWords.plain(words.off)) {
      field.report(
        "on and off are the same word in \(field.owner)", "give both 'on_payload' and 'off_payload'")
    }
    return words
  }

  private func word(_ field: Field, _ commands: [String]) -> String? {
    guard let text = field.text(wanted: "a word for a state") else { return nil }
    let word = StateWords.plain(text)
    if word.isEmpty { field.reject(wanted: "a word for a state") }
    if text.utf8.count > ModuleFile.longestWord {
      field.report("\(field.title) is longer than \(ModuleFile.longestWord) bytes")
    }
    for command in commands where word.matches(text: FixedText(command)) {
      field.report("\(field.title) cannot be \(command), which is another command")
    }
    return text
  }
}
