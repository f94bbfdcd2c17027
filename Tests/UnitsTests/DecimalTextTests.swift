import Testing

@testable import Units

@Suite struct DecimalTextTests {
  func text(_ thousandths: Int64, decimals: UInt8 = 2, scale: UInt8 = 3) -> String {
    var buffer = InlineArray<21, UInt8>(repeating: 0x7F)
    var span = buffer.mutableSpan
    let count = writeDecimal(thousandths, scale: scale, decimals: decimals, into: &span)
    var text = ""
    for index in 0..<count { text.append(Character(UnicodeScalar(buffer[index]))) }
    for index in count..<buffer.count { #expect(buffer[index] == 0x7F, "wrote beyond its count") }
    return text
  }

  @Test("a reading has the decimals of its quantity, also when they are zeros")
  func decimals() {
    #expect(text(21_500) == "21.50")
    #expect(text(0) == "0.00")
    #expect(text(5) == "0.01")
    #expect(text(1_013_250) == "1013.25")
    #expect(text(-50) == "-0.05")
    #expect(text(-40_000) == "-40.00")
  }

  @Test("halves round away from zero, on both sides of it")
  func rounding() {
    #expect(text(21_504) == "21.50")
    #expect(text(21_505) == "21.51")
    #expect(text(-21_504) == "-21.50")
    #expect(text(-21_505) == "-21.51")
    #expect(text(99_995) == "100.00")
    #expect(text(-99_995) == "-100.00")
  }

  @Test("what rounds to zero has no sign")
  func noNegativeZero() {
    #expect(text(-4) == "0.00")
    #expect(text(-5) == "-0.01")
    #expect(text(-499, decimals: 0) == "0")
    #expect(text(-500, decimals: 0) == "-1")
  }

  @Test("no decimals means no point, three are all there are")
  func otherDecimals() {
    #expect(text(1_500, decimals: 0) == "2")
    #expect(text(1_250, decimals: 1) == "1.3")
    #expect(text(-1, decimals: 3) == "-0.001")
    #expect(text(0, decimals: 3) == "0.000")
    #expect(text(1_250, decimals: 5) == "1.250")
  }

  @Test("the extremes of a reading fit and are exact")
  func extremes() {
    #expect(text(.max) == "9223372036854775.81")
    #expect(text(.min) == "-9223372036854775.81")
    #expect(text(.max, decimals: 3) == "9223372036854775.807")
    #expect(text(.min, decimals: 3) == "-9223372036854775.808")
    #expect(text(.min, decimals: 0) == "-9223372036854776")
    #expect(text(.min, decimals: 3).utf8.count == Reading.maximumTextLength)
  }

  @Test("every hundredth from -50 to 50 reads back as itself")
  func readsBack() throws {
    for hundredths in Int64(-5_000)...5_000 {
      let value = try #require(Double(text(hundredths * 10)))
      #expect((value * 100).rounded() == Double(hundredths))
    }
  }

  @Test("units become readings in the customary unit: degrees, percent, hectopascals")
  func customaryUnits() {
    #expect(text(Temperature(milliCelsius: -5_125).thousandths) == "-5.13")
    #expect(text(RelativeHumidity(milliPercent: 48_300).thousandths) == "48.30")
    #expect(text(Pressure(milliPascals: 101_325_000).thousandths) == "1013.25")
  }

  @Test("a reading writes itself")
  func readingWrites() {
    var buffer = InlineArray<21, UInt8>(repeating: 0)
    var span = buffer.mutableSpan
    let count = Reading(0, 25_080).write(as: Channel(.temperature, decimals: 2), into: &span)
    #expect(count == 5)
    #expect(buffer[0] == UInt8(ascii: "2") && buffer[4] == UInt8(ascii: "8"))
  }

  @Test("finer units than thousandths, and coarser, are as exact")
  func otherScales() {
    #expect(text(1_500_000, decimals: 3, scale: 6) == "1.500")
    #expect(text(7_812, decimals: 6, scale: 9) == "0.000008")
    #expect(text(7_812, decimals: 9, scale: 9) == "0.000007812")
    #expect(text(12, decimals: 0, scale: 0) == "12")
    #expect(text(12, decimals: 2, scale: 0) == "12")
    #expect(text(.min, decimals: 18, scale: 18) == "-9.223372036854775808")
    #expect(text(.max, decimals: 0, scale: 18) == "9")
  }
}
