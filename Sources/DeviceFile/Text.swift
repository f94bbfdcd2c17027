// Strings are compared by their bytes: `==` and hashing on String need Unicode tables, which Embedded
// builds do not link.
extension String {
  @inline(never)
  public func equals(_ other: String) -> Bool {
    bytes.equals(other.bytes)
  }

  /// A copy: what goes through it costs the program less than a walk through `utf8`.
  public var bytes: [UInt8] {
    @inline(never) get { Array(utf8) }
  }

  /// The same with A…Z taken for a…z.
  @inline(never)
  public func equalsIgnoringCase(_ other: String) -> Bool {
    lowercase(bytes).equals(lowercase(other.bytes))
  }

  /// `17` of `GPIO17`
  public var trailingDigits: String {
    let bytes = bytes
    var start = bytes.count
    while start > 0, isDigit(bytes[start - 1]) { start -= 1 }
    return dropFirstBytes(start)
  }

  /// Everything from the byte at `offset`, which must begin a character.
  @inline(never)
  public func dropFirstBytes(_ offset: Int) -> String {
    String(decoding: bytes[offset...], as: UTF8.self)
  }
}

extension [UInt8] {
  @inline(never)
  public func equals(_ other: [UInt8]) -> Bool {
    count == other.count && begins(with: other, at: 0)
  }

  @inline(never)
  public func begins(with start: [UInt8], at index: Int) -> Bool {
    guard index + start.count <= count else { return false }
    for offset in start.indices where self[index + offset] != start[offset] { return false }
    return true
  }
}

public func lowercase(_ bytes: [UInt8]) -> [UInt8] {
  var result = bytes
  for index in result.indices { result[index] = lowercase(result[index]) }
  return result
}

public func lowercase(_ byte: UInt8) -> UInt8 {
  byte >= 0x41 && byte <= 0x5A ? byte + 0x20 : byte
}

public func isDigit(_ byte: UInt8) -> Bool {
  byte >= 0x30 && byte <= 0x39
}

/// `0x` with two digits, as addresses are written.
@inline(never)
public func hexadecimal(_ byte: UInt8) -> String {
  let digits: [UInt8] = "0123456789abcdef".bytes
  return "0x" + String(decoding: [digits[Int(byte >> 4)], digits[Int(byte & 15)]], as: UTF8.self)
}

/// `a, b and c`
@inline(never)
public func listed(_ words: [String], last: String = "and") -> String {
  var text: Message = ""
  for (index, word) in words.enumerated() {
    if index > 0 { text += index == words.count - 1 ? " \(last) " : ", " }
    text += "\(word)"
  }
  return text.text
}

/// Digits are never a slip: another number is another part, board or version. A key that was pressed twice is one.
@inline(never)
private func digits(_ bytes: [UInt8]) -> [UInt8] {
  var kept: [UInt8] = []
  for (index, byte) in bytes.enumerated() where isDigit(byte) && (index == 0 || bytes[index - 1] != byte) {
    kept.append(byte)
  }
  return kept
}

/// The candidate that `text` is most likely a slip of, if any is near enough.
public func nearest(to text: String, in candidates: [String]) -> String? {
  let typed = text.bytes
  guard typed.count <= 40 else { return nil }
  let typedDigits = digits(typed)
  var best: String?
  // A third of the letters may be wrong; of equally near candidates, one that begins so is likelier.
  var bestRank = min(3, max(1, typed.count / 3)) * 2 + 2
  for candidate in candidates where candidate.utf8.count <= 40 {
    let bytes = candidate.bytes
    guard digits(bytes).equals(typedDigits) else { continue }
    let rank = editDistance(typed, bytes) * 2 + (bytes.begins(with: typed, at: 0) ? 0 : 1)
    if rank < bestRank {
      best = candidate
      bestRank = rank
    }
  }
  return best
}

@inline(never)
public func didYouMean(_ text: String, _ candidates: [String]) -> Message? {
  guard let candidate = nearest(to: text, in: candidates) else { return nil }
  return "did you mean \(candidate.quoted)?"
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn one into the other; case is free.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
  var beforeLast: [Int] = []
  var last = Array(0...right.count)
  for row in 0..<left.count {
    var current = [row + 1]
    for column in 0..<right.count {
      let same = lowercase(left[row]) == lowercase(right[column])
      var cost = min(last[column] + (same ? 0 : 1), last[column + 1] + 1, current[column] + 1)
      if row > 0, column > 0, lowercase(left[row]) == lowercase(right[column - 1]),
        lowercase(left[row - 1]) == lowercase(right[column])
      {
        cost = min(cost, beforeLast[column - 1] + 1)
      }
      current.append(cost)
    }
    beforeLast = last
    last = current
  }
  return last[right.count]
}
