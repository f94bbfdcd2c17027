/// The keys of one mapping while they are read: what nobody asks for is an error in the end.
public final class Fields {
  public let node: Node
  /// `relay 'fan'`
  public var owner: String
  public let problems: Problems
  private let entries: [Node.Entry]
  private var known: [String] = []

  /// Nil, and reported, when the node is no mapping.
  public init?(_ node: Node, owner: String, wanted: Message, _ problems: Problems) {
    guard case .mapping(let entries) = node.content else {
      if case .invalid = node.content { return nil }
      problems.report(node.mark, "expected \(wanted), not \(node.description)")
      return nil
    }
    self.node = node
    self.owner = owner
    self.problems = problems
    self.entries = entries
  }

  public var mark: Mark { node.mark }
  public var keys: [String] { entries.map { $0.key } }

  @inline(never)
  public func entry(_ key: String) -> Node.Entry? {
    for entry in entries where entry.key.equals(key) { return entry }
    return nil
  }

  /// The value of a key that may be missing.
  @inline(never)
  public func optional(_ key: String) -> Field? {
    known.append(key)
    guard let entry = entry(key) else { return nil }
    return Field(node: entry.value, key: key, owner: owner, problems: problems)
  }

  @inline(never)
  public func required(_ key: String, example: String) -> Field? {
    if let field = optional(key) { return field }
    let place: Message = owner.utf8.isEmpty ? "" : " in \(owner)"
    problems.report(mark, "\(key.quoted) is missing\(place)", "for example \(key): \(example)")
    return nil
  }

  /// The mapping under a key that may be missing; what reads it calls its `finish`.
  public func mapping(_ key: String, example: Message) -> Fields? {
    guard let field = optional(key) else { return nil }
    return Fields(
      field.node, owner: ("\(key.quoted) of \(owner)" as Message).text, wanted: "a mapping like \(example)",
      problems)
  }

  /// Reports the keys that nobody asked for.
  @inline(never)
  public func finish() {
    for entry in entries where !problems.isFull && !known.contains(where: { $0.equals(entry.key) }) {
      let place: Message = owner.utf8.isEmpty ? "" : " in \(owner)"
      let rest = known.filter { self.entry($0) == nil }
      let suggestion = didYouMean(entry.key, rest) ?? "known keys are \(listed(known))"
      problems.report(entry.mark, "unknown key \(entry.key.quoted)\(place)", suggestion)
    }
  }
}
