/// The text of a number of 10^-scale, rounded half away from zero to at most `scale` decimals; `scale` is at most 18.
func writeDecimal(
  _ value: Int64, scale: UInt8, decimals: UInt8, into text: inout MutableSpan<UInt8>
) -> Int {
  let decimals = Int(min(decimals, scale))
  var step: UInt64 = 1
  for _ in decimals..<Int(scale) { step *= 10 }
  var rest = (value.magnitude + step / 2) / step

  // Digits come out last one first: fill a scratch from its end, then copy.
  var scratch = InlineArray<21, UInt8>(repeating: 0)
  var first = scratch.count
  let isNegative = value < 0 && rest > 0
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
