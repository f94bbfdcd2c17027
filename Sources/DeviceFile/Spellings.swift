/// What people call things that have another name here. A program whose catalog does not name it knows the right names
/// alone, and has the room.
public final class Spellings {
  /// The board that people call so, or of whose name it is a slip.
  public let board: (_ name: String, any ConfigurationSurroundings) -> String?
  fileprivate let word: (_ text: String, _ candidates: [String], _ others: [String], _ asPart: Bool) -> Int?

  public init(board: @escaping (_ name: String, any ConfigurationSurroundings) -> String?) {
    self.board = board
    word = { spelled($0, among: $1, others: $2, asPart: $3) }
  }

  /// The same for words alone: which of the candidates is meant.
  public static func find(_ text: String, among candidates: [String]) -> Int? {
    spelled(text, among: candidates, others: [], asPart: false)
  }
}

extension Problems {
  /// Which of the candidates people mean who write that, as far as the program knows.
  @inline(never)
  public func meant(
    _ text: String, among candidates: [String], others: [String], asPart: Bool = false
  ) -> Int? {
    spellings?.word(text, candidates, others, asPart)
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
