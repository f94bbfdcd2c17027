import Testing

@testable import Units

@Suite struct ReadingTests {
  @Test("a missing reading has no number, whatever it was made of, and writes nothing")
  func missing() {
    let reading = Reading(2, 21_500, .missing)
    #expect(reading.value == nil)
    #expect(reading == .missing(2))
    var buffer = InlineArray<21, UInt8>(repeating: 0x7F)
    var span = buffer.mutableSpan
    #expect(reading.write(as: Channel(.temperature, decimals: 2), into: &span) == 0)
    #expect(buffer[0] == 0x7F)
  }

  @Test("good and estimated values are published, others are not")
  func published() {
    #expect(Quality.good.isPublished && Quality.estimated.isPublished)
    #expect(!Quality.warmingUp.isPublished && !Quality.missing.isPublished)
  }

  @Test("a channel is called by its key, or by its quantity when it is the only one of it")
  func channelNames() {
    #expect(Channel(.humidity, decimals: 2).name.description == "humidity")
    #expect(Channel(.acceleration, key: "x", decimals: 3).name.description == "x")
  }

  @Test("a channel has no more decimals than its readings")
  func channelDecimals() {
    #expect(Channel(.voltage, decimals: 4).decimals == 3)
    #expect(Channel(.voltage, decimals: 40, scale: 40) == Channel(.voltage, decimals: 18, scale: 18))
  }

  @Test("quantities are equal by name, byte by byte, wherever they come from")
  func quantities() {
    #expect(Quantity.temperature == Quantity("temperature", "K"))
    #expect(Quantity.pm1 != Quantity.pm10)
    #expect(Quantity("", "") != Quantity.count)
    #expect(Channel(.voltage, key: "ch1", decimals: 3) != Channel(.voltage, key: "ch2", decimals: 3))
    #expect(Channel(.voltage, key: "ch1", decimals: 3) != Channel(.current, key: "ch1", decimals: 3))
  }

  @Test("a quantity can be the case of a switch, and a package can add its own")
  func ownQuantity() {
    let salinity = Quantity("salinity", "g/kg")
    switch salinity {
    case .humidity, .temperature: Issue.record("not one of these")
    case Quantity("salinity", ""): break
    default: Issue.record("it is there")
    }
  }
}
