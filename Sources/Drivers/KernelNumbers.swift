import HAL
import Units

extension KernelDevice {
  /// An attribute that is one whole number and the end of the line, as IIO and hwmon have them.
  func number(_ attribute: StaticString) throws(SensorError) -> Int32 {
    var text = InlineArray<24, UInt8>(repeating: 0)
    var span = text.mutableSpan
    let count: Int
    do { count = try read(attribute, into: &span) } catch { throw .bus(error) }
    guard count > 0, text[count - 1] == UInt8(ascii: "\n") else { throw .bus(.shortTransfer) }
    guard
      let number = DecimalText.value(of: text.span.extracting(0..<count - 1), scale: 0),
      number == Int64(Int32(truncatingIfNeeded: number))
    else { throw .implausible }
    return Int32(truncatingIfNeeded: number)
  }
}
