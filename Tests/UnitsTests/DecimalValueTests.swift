import Testing

@testable import Units

@Suite struct DecimalValueTests {
  func value(_ text: String, scale: UInt8 = 3) -> Int64? {
    let bytes = Array(text.utf8)
    return DecimalText.value(of: bytes.span, scale: scale)
  }

  @Test("whole numbers and decimals, in the scale that is asked for")
  func numbers() {
    #expect(value("31.5") == 31_500)
    #expect(value("-40") == -40_000)
    #expect(value("0.05") == 50)
    #expect(value("-0.05") == -50)
    #expect(value("0") == 0 && value("-0") == 0)
    #expect(value("007") == 7_000)
    #expect(value("31.5", scale: 0) == 32)
    #expect(value("31.5", scale: 6) == 31_500_000)
  }

  @Test("what is finer than the scale rounds half away from zero, by the first digit beyond it alone")
  func rounding() {
    #expect(value("21.5004") == 21_500)
    #expect(value("21.5005") == 21_501)
    #expect(value("-21.5005") == -21_501)
    #expect(value("21.50049999") == 21_500)
    #expect(value("0.9999") == 1_000)
  }

  @Test(
    "anything else is no number",
    arguments: [
      "", "-", ".", "1.", ".5", "-.5", "1.2.3", "1,5", "+1", "1e3", " 1", "1 ", "0x10", "--1", "1-", "nan",
      "1.-5",
    ]
  )
  func noNumbers(text: String) {
    #expect(value(text) == nil)
  }

  @Test("what does not fit is no number, what just fits is")
  func extremes() {
    #expect(value("9223372036854775.807") == .max)
    #expect(value("-9223372036854775.807") == -.max)
    #expect(value("9223372036854775.808") == nil)
    #expect(value("9223372036854775.8075") == nil)
    #expect(value("9223372036854776") == nil)
    #expect(value("99999999999999999999999999999") == nil)
    #expect(value("0.00000000000000000000000000000000001") == 0)
    #expect(value("9223372036854775807", scale: 0) == .max)
  }

  @Test("what is written reads back as itself")
  func readsBack() {
    for number in Int64(-12_000)...12_000 {
      var buffer = InlineArray<21, UInt8>(repeating: 0)
      var span = buffer.mutableSpan
      let count = writeDecimal(number, scale: 3, decimals: 3, into: &span)
      #expect(DecimalText.value(of: buffer.span.extracting(0..<count)) == number)
    }
  }
}
