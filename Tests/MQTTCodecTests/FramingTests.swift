import MQTTCodec
import TestNumbers
import Testing

@Suite("Framing")
struct FramingTests {
  @Test(
    "Variable byte integers have the lengths and bytes of table 2.4",
    arguments: [
      (0, [0x00]), (127, [0x7F]), (128, [0x80, 0x01]), (16_383, [0xFF, 0x7F]),
      (16_384, [0x80, 0x80, 0x01]), (2_097_151, [0xFF, 0xFF, 0x7F]),
      (2_097_152, [0x80, 0x80, 0x80, 0x01]), (268_435_455, [0xFF, 0xFF, 0xFF, 0x7F]),
    ] as [(Int, [UInt8])])
  func variableByteIntegers(_ value: Int, _ bytes: [UInt8]) throws {
    #expect(VariableByteInteger.length(of: value) == bytes.count)
    let decoded = try VariableByteInteger.decode(bytes.span, at: 0)
    #expect(decoded?.value == value)
    #expect(decoded?.length == bytes.count)
    for count in 0..<bytes.count {
      let partial = try VariableByteInteger.decode(bytes.span.extracting(0..<count), at: 0)
      #expect(partial == nil)
    }
  }

  @Test("Numbers outside four bytes have no length")
  func outOfRange() {
    #expect(VariableByteInteger.length(of: -1) == nil)
    #expect(VariableByteInteger.length(of: 268_435_456) == nil)
  }

  @Test("A remaining length that goes on after four bytes is refused at its fourth byte")
  func lengthTooLong() {
    let start: [UInt8] = [0x30, 0xFF, 0xFF, 0xFF, 0xFF]
    #expect(fault { () throws(MalformedPacket) in _ = try header(start) } == .lengthTooLong)
    let three = [UInt8](start[..<4])
    #expect(fault { () throws(MalformedPacket) in _ = try header(three) } == nil)
  }

  @Test("[MQTT-2.2.2-1] [MQTT-2.2.2-2] Every first byte is accepted or refused as tables 2.1 and 2.2 say")
  func everyFirstByte() throws {
    for byte in UInt8.min...UInt8.max {
      let start = [byte, 0]
      let expected: MalformedPacket?
      switch (byte >> 4, byte & 0x0F) {
      case (0, _): expected = .reservedType
      case (3, let flags) where flags & 0b0110 == 0b0110: expected = .invalidQoS
      case (3, 0b1000), (3, 0b1001): expected = .duplicateAtMostOnce
      case (3, _): expected = nil
      case (6, let flags), (8, let flags), (10, let flags):
        expected = flags == 2 ? nil : .reservedFlags
      case (_, let flags): expected = flags == 0 ? nil : .reservedFlags
      }
      #expect(fault { () throws(MalformedPacket) in _ = try header(start) } == expected)
      if expected == nil {
        let decoded = try #require(try header(start))
        #expect(decoded.type.rawValue == byte >> 4)
        #expect(decoded.flags == byte & 0x0F)
        #expect(decoded.packetLength == 2)
      }
    }
  }

  @Test("A header is waited for until its last byte")
  func incompleteHeader() throws {
    let start: [UInt8] = [0x32, 0x80, 0x80, 0x80, 0x01]
    for count in 0..<start.count {
      #expect(try header([UInt8](start[..<count])) == nil)
    }
    let decoded = try #require(try header(start))
    #expect(decoded == FixedHeader(type: .publish, flags: 2, length: 5, remaining: 2_097_152))
    #expect(decoded.packetLength == 2_097_157)
  }

  @Test("Random bytes never make a decoder crash or read outside")
  func garbage() {
    var random = SplitMix(state: 1)
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...40, using: &random)
      var body = (0..<count).map { _ in
        UInt8.random(in: 0...(Bool.random(using: &random) ? 255 : 6), using: &random)
      }
      if count > 12, Bool.random(using: &random) {
        body.replaceSubrange(0..<7, with: [0, 4, 77, 81, 84, 84, 4])
      }
      decodeEverything(body.span)
    }
  }

  private func decodeEverything(_ body: Span<UInt8>) {
    _ = fault { () throws(MalformedPacket) in _ = try FixedHeader.decode(body) }
    _ = fault { () throws(MalformedPacket) in _ = try Connect.decode(body) }
    _ = fault { () throws(MalformedPacket) in _ = try Connack.decode(body) }
    for flags in UInt8(0)...15 {
      _ = fault { () throws(MalformedPacket) in _ = try Publish.decode(body, flags: flags) }
    }
    _ = fault { () throws(MalformedPacket) in _ = try Acknowledgement.decode(body) }
    _ = fault { () throws(MalformedPacket) in
      let answer = try Suback.decode(body)
      for index in 0..<answer.count { _ = Suback.answer(body, at: index) }
    }
    _ = fault { () throws(MalformedPacket) in
      var position = try Subscribe.decode(body).first
      while let entry = try Subscribe.entry(body, at: position) { position = entry.next }
    }
    _ = fault { () throws(MalformedPacket) in
      var position = try Unsubscribe.decode(body).first
      while let entry = try Unsubscribe.entry(body, at: position) { position = entry.next }
    }
  }
}
