import HAL

extension KernelDevice {
  /// An attribute that is one whole number and the end of the line, as IIO and hwmon have them.
  func number(_ attribute: StaticString) throws(SensorError) -> Int32 {
    var text = InlineArray<24, UInt8>(repeating: 0)
    var span = text.mutableSpan
    let count: Int
    do { count = try read(attribute, into: &span) } catch { throw .bus(error) }
    guard count > 0, text[count - 1] == UInt8(ascii: "\n") else { throw .bus(.shortTransfer) }
    let isNegative = text[0] == UInt8(ascii: "-")
    var number: Int64 = 0
    let digits = (isNegative ? 1 : 0)..<(count - 1)
    guard !digits.isEmpty, digits.count <= 9 else { throw .implausible }
    for index in digits {
      guard text[index] >= UInt8(ascii: "0"), text[index] <= UInt8(ascii: "9") else { throw .implausible }
      number = number * 10 + Int64(text[index] - UInt8(ascii: "0"))
    }
    return Int32(truncatingIfNeeded: isNegative ? -number : number)
  }
}
