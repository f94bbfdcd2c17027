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

/// Numbers as people and kernels write them: `21.5`, `-40`, `0.05`.
public enum DecimalText {
  /// The number in 10^-scale, rounded half away from zero; nil when the text is no such number or does not fit.
  /// There is a digit on each side of a point, and nothing but a minus before the first.
  public static func value(of text: Span<UInt8>, scale: UInt8 = 3) -> Int64? {
    var index = 0
    let isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
    if isNegative { index = 1 }
    var number: UInt64 = 0
    var decimals: UInt8?
    var roundsUp = false
    var isDigitWanted = true
    while index < text.count {
      let byte = text[index]
      index += 1
      if byte == UInt8(ascii: "."), decimals == nil, !isDigitWanted {
        decimals = 0
        isDigitWanted = true
        continue
      }
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      let digit = UInt64(byte - UInt8(ascii: "0"))
      isDigitWanted = false
      if let places = decimals {
        if places == scale { roundsUp = digit >= 5 }
        if places <= scale { decimals = places + 1 }
        if places >= scale { continue }
      }
      guard let longer = Self.appending(digit, to: number) else { return nil }
      number = longer
    }
    if isDigitWanted { return nil }
    for _ in min(decimals ?? 0, scale)..<scale {
      guard let longer = Self.appending(0, to: number) else { return nil }
      number = longer
    }
    if roundsUp { number += 1 }
    guard number <= UInt64(Int64.max) else { return nil }
    return isNegative ? -Int64(number) : Int64(number)
  }

  /// Nil beyond what an `Int64` holds.
  private static func appending(_ digit: UInt64, to number: UInt64) -> UInt64? {
    number > (UInt64(Int64.max) - digit) / 10 ? nil : number * 10 + digit
  }
}
