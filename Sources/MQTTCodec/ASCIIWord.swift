/// A machine word of bytes looked at together: what almost all topics consist of needs no byte by byte.
struct ASCIIWord {
  private let word: UInt

  @inline(__always)
  private init(_ word: UInt) {
    self.word = word
  }

  private static var size: Int { MemoryLayout<UInt>.size }

  /// The byte in every place.
  @inline(__always)
  private static func every(_ byte: UInt) -> UInt { UInt.max / 0xFF * byte }

  /// Sets the high bit of bytes that are zero; above one it may be wrong, below it never is.
  @inline(__always)
  private static func marksZeroBytes(_ word: UInt) -> UInt {
    (word &- every(1)) & ~word
  }

  /// All are ASCII, and none is U+0000.
  @inline(__always)
  var isText: Bool {
    (word | Self.marksZeroBytes(word)) & Self.every(0x80) == 0
  }

  /// All are ASCII, and none is U+0000, `#` or `+`.
  @inline(__always)
  var isTopicText: Bool {
    let hash = Self.marksZeroBytes(word ^ Self.every(0x23))
    let plus = Self.marksZeroBytes(word ^ Self.every(0x2B))
    return (word | Self.marksZeroBytes(word) | hash | plus) & Self.every(0x80) == 0
  }

  /// Whether `test` holds for all words of `bytes`; the last ones overlap, so that none is incomplete.
  @inline(__always)
  static func allSatisfy(_ bytes: Span<UInt8>, _ test: (ASCIIWord) -> Bool) -> Bool {
    bytes.withUnsafeBytes { raw in
      let last = raw.count - size
      guard last >= 0 else { return test(ASCIIWord(short(raw))) }
      var index = 0
      while index < last {
        guard test(ASCIIWord(raw.loadUnaligned(fromByteOffset: index, as: UInt.self))) else { return false }
        index += size
      }
      return test(ASCIIWord(raw.loadUnaligned(fromByteOffset: last, as: UInt.self)))
    }
  }

  /// Fewer bytes than a word has, some of them twice, filled up with letters.
  @inline(__always)
  private static func short(_ raw: UnsafeRawBufferPointer) -> UInt {
    let count = raw.count
    if count >= 4 {
      let first = raw.loadUnaligned(as: UInt32.self)
      let last = raw.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
      return UInt(first) | UInt(last) << 32
    }
    guard count > 0 else { return every(0x61) }
    return every(0x61) & ~0xFF_FFFF | UInt(raw[0]) | UInt(raw[count / 2]) << 8 | UInt(raw[count - 1]) << 16
  }
}
