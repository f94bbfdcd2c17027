// Strings are compared by their bytes: `==` and hashing on String need Unicode tables, which Embedded
// builds do not link.
extension String {
  func equals(_ other: String) -> Bool {
    utf8.elementsEqual(other.utf8)
  }

  /// The same with A…Z taken for a…z.
  func equalsIgnoringCase(_ other: String) -> Bool {
    utf8.elementsEqual(other.utf8) { lowercase($0) == lowercase($1) }
  }

  var quoted: String { "'" + self + "'" }

  /// Everything from the byte at `offset`, which must begin a character.
  func dropFirstBytes(_ offset: Int) -> String {
    String(decoding: Array(utf8)[offset...], as: UTF8.self)
  }
}

func lowercase(_ byte: UInt8) -> UInt8 {
  byte >= 0x41 && byte <= 0x5A ? byte + 0x20 : byte
}

func isDigit(_ byte: UInt8) -> Bool {
  byte >= 0x30 && byte <= 0x39
}

/// `0x` with two digits, as addresses are written.
func hexadecimal(_ byte: UInt8) -> String {
  let digits: [UInt8] = Array("0123456789abcdef".utf8)
  return "0x" + String(decoding: [digits[Int(byte >> 4)], digits[Int(byte & 15)]], as: UTF8.self)
}

/// `a, b and c`
func listed(_ words: [String], last: String = "and") -> String {
  var text = ""
  for (index, word) in words.enumerated() {
    if index > 0 { text += index == words.count - 1 ? " \(last) " : ", " }
    text += word
  }
  return text
}

/// The candidate that `text` is most likely a slip of, if any is near enough.
func nearest(to text: String, in candidates: [String]) -> String? {
  let typed = Array(text.utf8)
  guard typed.count <= 40 else { return nil }
  var best: String?
  // A third of the letters may be wrong.
  var bestDistance = min(3, max(1, typed.count / 3)) + 1
  for candidate in candidates where candidate.utf8.count <= 40 {
    let distance = editDistance(typed, Array(candidate.utf8))
    if distance < bestDistance {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

func didYouMean(_ text: String, _ candidates: [String]) -> String? {
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
