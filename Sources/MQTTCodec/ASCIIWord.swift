/// Up to eight bytes looked at together: what almost all topics consist of needs no byte by byte.
struct ASCIIWord {
  private let word: UInt64

  @inline(__always)
  private init(_ word: UInt64) {
    self.word = word
  }

  private static let high: UInt64 = 0x8080_8080_8080_8080

  /// Sets the high bit of bytes that are zero; above one it may be wrong, below it never is.
  @inline(__always)
  private static func marksZeroBytes(_ word: UInt64) -> UInt64 {
    (word &- 0x0101_0101_0101_0101) & ~word
  }

  /// All are ASCII, and none is U+0000.
  @inline(__always)
  var isText: Bool {
    (word | Self.marksZeroBytes(word)) & Self.high == 0
  }

  /// All are ASCII, and none is U+0000, `#` or `+`.
  @inline(__always)
  var isTopicText: Bool {
    let hash = Self.marksZeroBytes(word ^ 0x2323_2323_2323_2323)
    let plus = Self.marksZeroBytes(word ^ 0x2B2B_2B2B_2B2B_2B2B)
    return (word | Self.marksZeroBytes(word) | hash | plus) & Self.high == 0
  }

  /// Whether `test` holds for all words of `bytes`; the last ones overlap, so that none is incomplete.
  @inline(__always)
  static func allSatisfy(_ bytes: Span<UInt8>, _ test: (ASCIIWord) -> Bool) -> Bool {
    bytes.withUnsafeBytes { raw in
      let last = raw.count - 8
      guard last >= 0 else { return test(ASCIIWord(short(raw))) }
      var index = 0
      while index < last {
        guard test(ASCIIWord(raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))) else { return false }
        index += 8
      }
      return test(ASCIIWord(raw.loadUnaligned(fromByteOffset: last, as: UInt64.self)))
    }
  }

  /// Fewer than eight bytes, some of them twice, filled up with letters.
  @inline(__always)
  private static func short(_ raw: UnsafeRawBufferPointer) -> UInt64 {
    let count = raw.count
    if count >= 4 {
      let first = raw.loadUnaligned(as: UInt32.self)
      let last = raw.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
      return UInt64(first) | UInt64(last) << 32
    }
    let letters: UInt64 = 0x6161_6161_6100_0000
    guard count > 0 else { return letters | 0x0061_6161 }
    return letters | UInt64(raw[0]) | UInt64(raw[count / 2]) << 8 | UInt64(raw[count - 1]) << 16
  }
}
