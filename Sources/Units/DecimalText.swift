extension Reading {
  /// The length of the longest text: a sign, nineteen digits and a point.
  public static var maximumTextLength: Int { 21 }

  /// Writes the value as ASCII in its customary unit, such as `21.50` or `-0.05`, and returns how many
  /// bytes that took.
  ///
  /// It has exactly `quantity.decimals` decimals (three at most, since a reading has no more), rounded
  /// half away from zero; what rounds to zero has no sign. The buffer has room for `maximumTextLength`.
  public func write(into text: inout MutableSpan<UInt8>) -> Int {
    writeDecimal(thousandths: thousandths, decimals: quantity.decimals, into: &text)
  }
}

/// The text of a number of thousandths, rounded half away from zero to 0…3 decimals.
func writeDecimal(thousandths: Int64, decimals: Int, into text: inout MutableSpan<UInt8>) -> Int {
  let decimals = min(decimals, 3)
  var step: UInt64 = 1
  for _ in decimals..<3 { step *= 10 }
  var rest = (thousandths.magnitude + step / 2) / step

  // Digits come out last one first: fill a scratch from its end, then copy.
  var scratch = InlineArray<21, UInt8>(repeating: 0)
  var first = scratch.count
  let isNegative = thousandths < 0 && rest > 0
  var written = 0
  repeat {
    if written == decimals, decimals > 0 {
      first -= 1
      scratch[first] = UInt8(ascii: ".")
    }
    first -= 1
    scratch[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
    rest /= 10
    written += 1
  } while rest > 0 || written <= decimals
  if isNegative {
    first -= 1
    scratch[first] = UInt8(ascii: "-")
  }

  let count = scratch.count - first
  for index in 0..<count { text[index] = scratch[first + index] }
  return count
}
