/// Finds frames of a fixed length in a stream of bytes: each begins with the same bytes, and the rest has a checksum
/// that the driver knows. Where a frame turns out to be none, the next may have begun within it, so nothing that has
/// come is thrown away before it cannot be the beginning of one.
struct FrameWindow<let length: Int, let headerLength: Int> {
  private let header: InlineArray<headerLength, UInt8>
  private(set) var bytes = InlineArray<length, UInt8>(repeating: 0)
  private var count = 0

  init(header: InlineArray<headerLength, UInt8>) {
    self.header = header
  }

  /// True: `bytes` is as long as a frame and begins like one. Then either `accept` or `reject` follows.
  mutating func append(_ byte: UInt8) -> Bool {
    bytes[count] = byte
    count += 1
    skipNoise()
    return count == length
  }

  /// The frame is one, and has been read.
  mutating func accept() {
    count = 0
  }

  /// The frame is none.
  mutating func reject() {
    dropFirst()
    skipNoise()
  }

  private mutating func skipNoise() {
    while count > 0, !beginsLikeFrame { dropFirst() }
  }

  private var beginsLikeFrame: Bool {
    for index in 0..<min(count, headerLength) where bytes[index] != header[index] { return false }
    return true
  }

  private mutating func dropFirst() {
    for index in 1..<count { bytes[index - 1] = bytes[index] }
    count -= 1
  }
}
