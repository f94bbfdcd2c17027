/// The value of one key, and who it belongs to: converts it, or says what is wrong with it.
public final class Field {
  public let node: Node
  public let key: String
  /// `relay 'fan'`
  public let owner: String
  public let problems: Problems

  public init(node: Node, key: String, owner: String, problems: Problems) {
    self.node = node
    self.key = key
    self.owner = owner
    self.problems = problems
  }

  public var mark: Mark { node.mark }

  @inline(never)
  public func report(_ message: Message, _ suggestion: Message? = nil) {
    problems.report(mark, message, suggestion)
  }

  /// `'every' in sensor 'air'`
  public var title: Message {
    @inline(never) get { owner.utf8.isEmpty ? "\(key.quoted)" : "\(key.quoted) in \(owner)" }
  }

  @inline(never)
  public func reject(wanted: Message, _ suggestion: Message? = nil) {
    if case .invalid = node.content { return }
    report("\(title) must be \(wanted), not \(node.description)", suggestion)
  }

  /// Any text but an empty one. A secret is one only where it is needed: others turn up in messages.
  @inline(never)
  public func text(wanted: Message = "a text", orSecret: Bool = false) -> String? {
    if case .scalar(let text) = node.content, !text.utf8.isEmpty, orSecret || !node.isSecret { return text }
    reject(wanted: wanted)
    return nil
  }

  /// What a name is made of.
  public static var wantedName: Message { "a name of A-Z, a-z, 0-9, '-' and '_'" }

  /// A name that can stand in a topic; `extra` characters are legal as well. `proposes`: what it could be instead is
  /// free for the taking.
  @inline(never)
  public func name(
    extra: String = "", wanted: Message = Field.wantedName, longest: Int = 64, proposes: Bool = true
  ) -> String? {
    guard let text = text(wanted: wanted) else { return nil }
    let bytes = text.bytes
    let extra = extra.bytes
    guard bytes.count <= longest else {
      report("\(title) is longer than \(longest) bytes")
      return nil
    }
    if bytes.allSatisfy({ isNameByte($0) || extra.contains($0) }) { return text }
    let proposal = bytes.map { $0 == 0x20 ? 0x5F : $0 }
    let isLegal = proposes && proposal.allSatisfy { isNameByte($0) || extra.contains($0) }
    let proposed = String(decoding: proposal, as: UTF8.self).quoted
    reject(wanted: wanted, isLegal ? "for example \(proposed)" : nil)
    return nil
  }

  /// The index of the word among `words`.
  @inline(never)
  public func choice(_ words: [String]) -> Int? {
    let wanted: Message = "\(listed(words, last: "or"))"
    guard case .scalar(let text) = node.content, !text.utf8.isEmpty else {
      reject(wanted: wanted)
      return nil
    }
    for (index, word) in words.enumerated() where word.equals(text) { return index }
    reject(
      wanted: wanted, node.isSecret ? nil : didYouMean(problems.meant(text, among: words) ?? text, words))
    return nil
  }

  /// A state; YAML has many words for it.
  @inline(never)
  public func state() -> Bool? {
    guard case .scalar(let text) = node.content else {
      reject(wanted: "on or off")
      return nil
    }
    if let state = Field.state(text) { return state }
    reject(wanted: "on or off", node.isSecret ? nil : didYouMean(text, ["on", "off"]))
    return nil
  }

  @inline(never)
  public static func state(_ text: String) -> Bool? {
    for word in ["on", "yes", "true"] where word.equalsIgnoringCase(text) { return true }
    for word in ["off", "no", "false"] where word.equalsIgnoringCase(text) { return false }
    return nil
  }

  /// A whole number, decimal or with `0x`.
  @inline(never)
  public func integer(wanted: Message, in range: ClosedRange<Int>, _ suggestion: Message? = nil) -> Int? {
    if case .scalar(let text) = node.content, let number = parseInteger(text), range.contains(number) {
      return number
    }
    reject(wanted: wanted, suggestion)
    return nil
  }
}

private func isNameByte(_ byte: UInt8) -> Bool {
  let lower = lowercase(byte)
  return (lower >= 0x61 && lower <= 0x7A) || isDigit(byte) || byte == 0x2D || byte == 0x5F
}

/// A number from 0 to 0xFFFFFF; no leading zeros, which YAML 1.1 takes for octal.
@inline(never)
public func parseInteger(_ text: String) -> Int? {
  var bytes = text.bytes
  var base = 10
  if bytes.count > 2, bytes[0] == 0x30, lowercase(bytes[1]) == 0x78 {
    base = 16
    bytes.removeFirst(2)
  } else if bytes.count > 1, bytes[0] == 0x30 {
    return nil
  }
  guard !bytes.isEmpty, bytes.count <= 6 else { return nil }
  var number = 0
  for byte in bytes {
    let lower = lowercase(byte)
    let isLetter = base == 16 && lower >= 0x61 && lower <= 0x66
    guard isDigit(lower) || isLetter else { return nil }
    number = number * base + Int(isLetter ? lower - 0x61 + 10 : lower - 0x30)
  }
  return number
}
