/// What people call things that have another name here. A program whose catalog does not name it knows the right names
/// alone, and has the room.
public final class Spellings {
  /// Whether a board is no board's name, or the name of none, and what is meant is known: then it has been reported.
  public let board: (_ board: Field, any ConfigurationSurroundings) -> Bool
  fileprivate let word: (_ text: String, _ candidates: [String], _ others: [String]) -> Int?
  /// What to say of an address that is none of those, all of them written as `0x44`.
  public let address: (_ address: Field, _ candidates: [String]) -> Message?
  fileprivate let thing: (_ text: String, _ count: Int, _ names: (Int) -> [String]) -> Int?

  public init(board: @escaping (_ board: Field, any ConfigurationSurroundings) -> Bool) {
    self.board = board
    word = { Spellings.find($0, among: $1, others: $2) }
    address = { field, candidates in
      guard case .scalar(let text) = field.node.content else { return nil }
      let index = Spellings.only(text, candidates.count) { Spellings.addresses(candidates[$0]) }
      return index.map { "did you mean \(candidates[$0].quoted)?" }
    }
    thing = { Spellings.only($0, $1, $2) }
  }

  /// Which of the candidates is meant by a part, with its other names in `others`; or by a word, without.
  public static func find(_ text: String, among candidates: [String], others: [String] = []) -> Int? {
    if !others.isEmpty { return spelled(text, among: candidates, others: others, asPart: true) }
    return spelled(text, among: candidates, others: candidates.map(versions), asPart: false)
  }

  /// Which of so many things has a name that is written so but for capitals, spaces and signs; nil: none, or several.
  private static func only(_ text: String, _ count: Int, _ names: (Int) -> [String]) -> Int? {
    let typed = lettersAndDigits(text.bytes[...])
    if typed.isEmpty { return nil }
    var found: Int?
    for index in 0..<count {
      for name in names(index) where lettersAndDigits(name.bytes[...]).equals(typed) {
        if let found, found != index { return nil }
        found = index
      }
    }
    return found
  }

  /// Addresses are hexadecimal, and some people write them with the bit for reading and writing behind: `44` and `0x88`
  /// for 0x44.
  private static func addresses(_ candidate: String) -> [String] {
    let address = UInt8(truncatingIfNeeded: parseInteger(candidate) ?? 0)
    let digits = candidate.dropFirstBytes(2)
    return [digits, digits + "h", hexadecimal(address << 1), hexadecimal(address << 1 | 1)]
  }

  /// Other programs' names of 5 and 3.1.1; 4 is what 3.1.1 calls itself in CONNECT.
  private static func versions(_ candidate: String) -> String {
    if candidate.equals("5") { return "5.0 v5 v5.0 mqtt5 mqttv5" }
    return candidate.equals("3.1.1") ? "4 v311 mqtt311 mqttv311" : ""
  }
}

extension Problems {
  /// The only one of so many things that is meant by people who write that, as far as the program knows.
  public func meant(_ text: String, of count: Int, names: (Int) -> [String]) -> Int? {
    spellings?.thing(text, count, names)
  }

  /// The candidate that people mean who write that, as far as the program knows. `others`: of parts.
  @inline(never)
  public func meant(_ text: String, among candidates: [String], others: [String] = []) -> String? {
    guard let index = spellings?.word(text, candidates, others) else { return nil }
    return candidates[index]
  }
}

/// The index of the candidate that is written so but for capitals, spaces and signs, or of the one that has such a
/// name besides: `others` are a candidate's further names, with spaces between them.
///
/// `asPart`: letters after a part's number tell of its package or grade (`LM75BD`, `SHT31-DIS`).
private func spelled(
  _ text: String, among candidates: [String], others: [String], asPart: Bool
) -> Int? {
  let typed = lettersAndDigits(text.bytes[...])
  guard !typed.isEmpty else { return nil }
  for index in candidates.indices {
    if means(typed, lettersAndDigits(candidates[index].bytes[...]), asPart) { return index }
    guard index < others.count else { continue }
    for name in others[index].bytes.split(separator: 0x20)
    where means(typed, lettersAndDigits(name), asPart) { return index }
  }
  return nil
}

private func means(_ typed: [UInt8], _ name: [UInt8], _ asPart: Bool) -> Bool {
  guard asPart, typed.count > name.count else { return typed.equals(name) }
  return typed.begins(with: name, at: 0) && !isDigit(typed[name.count])
}

private func lettersAndDigits(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
  var kept: [UInt8] = []
  for byte in bytes {
    let lower = lowercase(byte)
    if isDigit(lower) || (lower >= 0x61 && lower <= 0x7A) { kept.append(lower) }
  }
  return kept
}
