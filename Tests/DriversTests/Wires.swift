import HAL

extension I2CDevice {
  /// Reads registers as a driver would.
  func read(_ register: UInt8, count: Int) throws -> [UInt8] {
    var answer = [UInt8](repeating: 0, count: count)
    var bytes = answer.mutableSpan
    try write(([register] as InlineArray).span, thenReadInto: &bytes)
    return answer
  }

  /// Reads without saying which register.
  func read(count: Int) throws -> [UInt8] {
    var answer = [UInt8](repeating: 0, count: count)
    var bytes = answer.mutableSpan
    try read(into: &bytes)
    return answer
  }

  func write(_ bytes: UInt8...) throws {
    try write(bytes.span)
  }
}

/// A thermometer of the LM75's shape: one word in register 0, what was written last in register 1.
final class FixedAnswer: I2CDevice {
  var word: UInt16
  private var configuration: UInt8 = 0

  init(_ word: UInt16) {
    self.word = word
  }

  func write(_ bytes: Span<UInt8>) throws(BusError) { configuration = bytes[1] }

  func read(into bytes: inout MutableSpan<UInt8>) throws(BusError) { throw .noAcknowledge }

  func write(_ bytes: Span<UInt8>, thenReadInto answer: inout MutableSpan<UInt8>) throws(BusError) {
    if bytes[0] == 1 {
      answer[0] = configuration
    } else {
      answer[0] = UInt8(word >> 8)
      answer[1] = UInt8(word & 0xFF)
    }
  }
}

/// A device of the kernel whose attributes all have one text.
final class FixedPage: KernelDevice {
  var text: String

  init(_ text: String) {
    self.text = text
  }

  func read(_ attribute: StaticString, into text: inout MutableSpan<UInt8>) throws(BusError) -> Int {
    let bytes = self.text.utf8.prefix(text.count)
    for (index, byte) in bytes.enumerated() { text[index] = byte }
    return bytes.count
  }
}
