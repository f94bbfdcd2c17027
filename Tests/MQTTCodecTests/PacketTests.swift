import MQTTCodec
import Testing

@Suite("Packets, byte by byte")
struct PacketTests {
  @Test("[MQTT-3.1.2-1] [MQTT-3.1.2-3] [MQTT-3.1.3-1] [MQTT-3.1.3-3] A full CONNECT has its fields in order")
  func connect() throws {
    let packet = try bytes { span in
      try Connect.encode(
        Connect.Options(cleanSession: true, keepAlive: 60, willQoS: .atLeastOnce, willRetain: true),
        clientID: "id".array.span, willTopic: "w/t".array.span, willPayload: "off".array.span,
        username: "me".array.span, password: [1, 2, 3].span, into: &span)
    }
    let expected: [UInt8] =
      [0x10, 33, 0, 4] + "MQTT".array + [4, 0b1110_1110, 0, 60, 0, 2] + "id".array
      + [0, 3] + "w/t".array + [0, 3] + "off".array + [0, 2] + "me".array + [0, 3, 1, 2, 3]
    #expect(packet == expected)
    let body = [UInt8](packet[2...])
    let decoded = try Connect.decode(body.span)
    #expect(decoded.cleanSession && decoded.keepAlive == 60)
    #expect([UInt8](body[decoded.clientID]) == "id".array)
    let will = try #require(decoded.will)
    #expect([UInt8](body[will.topic]) == "w/t".array && [UInt8](body[will.payload]) == "off".array)
    #expect(will.qos == .atLeastOnce && will.retain)
    #expect([UInt8](body[try #require(decoded.username)]) == "me".array)
    #expect([UInt8](body[try #require(decoded.password)]) == [1, 2, 3])
  }

  @Test(
    "[MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-15] [MQTT-3.1.2-18] [MQTT-3.1.2-20] A bare CONNECT has no flag set"
  )
  func bareConnect() throws {
    let packet = try bytes { span in
      try Connect.encode(
        Connect.Options(cleanSession: false, keepAlive: 0, willQoS: .exactlyOnce, willRetain: true),
        clientID: "x".array.span, into: &span)
    }
    #expect(packet == [0x10, 13, 0, 4] + "MQTT".array + [4, 0, 0, 0, 0, 1] + "x".array)
  }

  @Test("[MQTT-3.1.2-22] A password without a user name is left out")
  func passwordAlone() throws {
    let noBytes: [UInt8] = []
    let packet = try bytes { span in
      try Connect.encode(
        Connect.Options(cleanSession: true, keepAlive: 0), clientID: noBytes.span, password: [9].span,
        into: &span)
    }
    #expect(packet == [0x10, 12, 0, 4] + "MQTT".array + [4, 2, 0, 0, 0, 0])
  }

  @Test(
    "[MQTT-3.1.2-14] [MQTT-3.1.3-10] CONNECT with contradicting flags, another protocol or another length is refused with the reason",
    arguments: [
      (flags: 0b0000_0011, body: [0, 0], MalformedPacket.contradictoryFlags),
      (0b0000_1010, [0, 0], .contradictoryFlags), (0b0010_0010, [0, 0], .contradictoryFlags),
      (0b0100_0010, [0, 0, 0, 0], .contradictoryFlags), (0b0001_1110, [0, 0, 0, 1, 97, 0, 0], .invalidQoS),
      (0b0000_0010, [0, 0, 1], .wrongLength), (0b0000_0010, [0, 2, 97], .truncated),
      (0b0000_0010, [0, 1, 0], .invalidString), (0b1000_0010, [0, 0], .truncated),
      (0b1000_0010, [0, 0, 0, 1, 0xFF], .invalidString),
    ] as [(UInt8, [UInt8], MalformedPacket)])
  func malformedConnect(_ flags: UInt8, _ rest: [UInt8], _ reason: MalformedPacket) {
    let body = [0, 4] + "MQTT".array + [4, flags, 0, 60] + rest
    #expect(fault { () throws(MalformedPacket) in _ = try Connect.decode(body.span) } == reason)
  }

  @Test("[MQTT-3.1.2-1] [MQTT-3.1.2-2] Other protocols and levels are told apart")
  func protocolNames() {
    let other = [0, 6] + "MQIsdp".array + [3, 2, 0, 60, 0, 0]
    let level = [0, 4] + "MQTT".array + [6, 2, 0, 60, 0, 0]
    #expect(fault { () throws(MalformedPacket) in _ = try Connect.decode(other.span) } == .protocolName)
    #expect(fault { () throws(MalformedPacket) in _ = try Connect.decode(level.span) } == .protocolVersion)
  }

  @Test("[MQTT-3.2.2-4] CONNACK round trips, and a refusal with a session is refused")
  func connack() throws {
    for code in UInt8(0)...5 {
      let answer = Connack(sessionPresent: code == 0, code: try #require(ConnackCode(rawValue: code)))
      let packet = try bytes { try answer.encode(into: &$0) }
      #expect(packet == [0x20, 2, code == 0 ? 1 : 0, code])
      let decoded = try Connack.decode(packet.span.extracting(2..<4))
      #expect(decoded == answer)
    }
    for (body, reason): ([UInt8], MalformedPacket) in [
      ([1, 1], .contradictoryFlags), ([2, 0], .contradictoryFlags), ([0, 6], .reservedCode),
      ([0], .wrongLength), ([0, 0, 0], .wrongLength),
    ] {
      #expect(fault { () throws(MalformedPacket) in _ = try Connack.decode(body.span) } == reason)
    }
  }

  @Test("[MQTT-2.3.1-5] [MQTT-3.3.1-2] [MQTT-3.3.2-1] PUBLISH of every QoS round trips")
  func publish() throws {
    for qos in [QoS.atMostOnce, .atLeastOnce, .exactlyOnce] {
      for retain in [false, true] {
        let duplicate = qos != .atMostOnce && retain
        let packet = try bytes { span in
          try Publish.encode(
            topic: "a/b".array.span, payload: "hello".array.span, qos: qos, retain: retain,
            duplicate: duplicate, packetID: 0x1234, into: &span)
        }
        let flags = qos.rawValue << 1 | (retain ? 1 : 0) | (duplicate ? 8 : 0)
        let identifier: [UInt8] = qos == .atMostOnce ? [] : [0x12, 0x34]
        #expect(
          packet == [0x30 | flags, UInt8(10 + identifier.count), 0, 3] + "a/b".array + identifier
            + "hello".array)
        #expect(Publish.encodedLength(topicCount: 3, payloadCount: 5, qos: qos) == packet.count)
        let body = [UInt8](packet[2...])
        let decoded = try Publish.decode(body.span, flags: flags)
        #expect(decoded.qos == qos && decoded.retain == retain && decoded.duplicate == duplicate)
        #expect(decoded.packetID == (qos == .atMostOnce ? 0 : 0x1234))
        #expect(
          [UInt8](body[decoded.topic]) == "a/b".array && [UInt8](body[decoded.payload]) == "hello".array)
      }
    }
  }

  @Test("PUBLISH without payload is complete, and one with the longest topic fits")
  func publishEdges() throws {
    let noBytes: [UInt8] = []
    let shortest: [UInt8] = [0, 1, 97]
    let empty = try Publish.decode(shortest.span, flags: 0)
    #expect(empty.payload.isEmpty && empty.topic == 2..<3)
    let topic = [UInt8](repeating: 97, count: 65_535)
    let packet = try bytes(70_000) { span in
      try Publish.encode(
        topic: topic.span, payload: noBytes.span, qos: .atMostOnce, retain: false, into: &span)
    }
    let header = try #require(try header(packet))
    #expect(header.packetLength == packet.count)
    let decoded = try Publish.decode(packet.span.extracting(header.length..<packet.count), flags: 0)
    #expect(decoded.topic.count == 65_535)
  }

  @Test(
    "A malformed PUBLISH is refused with the reason",
    arguments: [
      ([], 0, .truncated), ([0], 0, .truncated), ([0, 0], 0, .emptyTopic), ([0, 2, 97], 0, .truncated),
      ([0, 1, 97, 0], 2, .truncated), ([0, 1, 97, 0, 0], 2, .zeroPacketID),
      ([0, 1, 43], 0, .wildcardInTopic), ([0, 1, 0xFF], 0, .invalidString),
      ([0xFF, 0xFF, 97], 0, .truncated), ([0, 1, 97, 0, 1], 6, .invalidQoS),
    ] as [([UInt8], UInt8, MalformedPacket)])
  func malformedPublish(_ body: [UInt8], _ flags: UInt8, _ reason: MalformedPacket) {
    #expect(fault { () throws(MalformedPacket) in _ = try Publish.decode(body.span, flags: flags) } == reason)
  }

  @Test("[MQTT-2.3.1-6] [MQTT-3.6.1-1] Acknowledgements carry the packet identifier")
  func acknowledgements() throws {
    let types: [(PacketType, UInt8)] = [
      (.puback, 0x40), (.pubrec, 0x50), (.pubrel, 0x62), (.pubcomp, 0x70), (.unsuback, 0xB0),
    ]
    for (type, first) in types {
      let packet = try bytes { try Acknowledgement(type, packetID: 0xABCD).encode(into: &$0) }
      #expect(packet == [first, 2, 0xAB, 0xCD])
      let decoded = try Acknowledgement.decode(packet.span.extracting(2..<4))
      #expect(decoded == 0xABCD)
    }
    #expect(
      acknowledgementFault([0, 0]) == .zeroPacketID)
    #expect(acknowledgementFault([1]) == .wrongLength)
  }

  @Test("[MQTT-2.3.1-1] [MQTT-3.8.1-1] [MQTT-3.8.3-1] [MQTT-3.8.3-3] [MQTT-3.8.3-4] SUBSCRIBE round trips")
  func subscribe() throws {
    let packet =
      try bytes { try Subscribe.begin(packetID: 10, listLength: 10, into: &$0) }
      + bytes { try Subscribe.append(filter: "a/+".array.span, options: 1, to: &$0) }
      + bytes { try Subscribe.append(filter: "#".array.span, options: 0, to: &$0) }
    #expect(packet == [0x82, 12, 0, 10, 0, 3] + "a/+".array + [1, 0, 1, 35, 0])
    let body = [UInt8](packet[2...])
    let start = try Subscribe.decode(body.span)
    #expect(start.packetID == 10)
    let firstEntry = try Subscribe.entry(body.span, at: start.first)
    let first = try #require(firstEntry)
    #expect([UInt8](body[first.filter]) == "a/+".array && first.qos == .atLeastOnce)
    let secondEntry = try Subscribe.entry(body.span, at: first.next)
    let second = try #require(secondEntry)
    #expect([UInt8](body[second.filter]) == "#".array && second.qos == .atMostOnce)
    let end = try Subscribe.entry(body.span, at: second.next)
    #expect(end == nil)
    for (body, reason): ([UInt8], MalformedPacket) in [
      ([0, 1], .emptyList), ([0, 0, 0, 1, 97, 0], .zeroPacketID), ([0, 1, 0, 1, 97], .truncated),
      ([0, 1, 0, 1, 97, 3], .invalidQoS), ([0, 1, 0, 1, 97, 4], .invalidQoS),
      ([0, 1, 0, 0, 0], .invalidFilter),
    ] {
      let found = fault { () throws(MalformedPacket) in
        _ = try Subscribe.entry(body.span, at: try Subscribe.decode(body.span).first)
      }
      #expect(found == reason)
    }
  }

  @Test("[MQTT-3.10.1-1] [MQTT-3.10.3-1] [MQTT-3.10.3-2] UNSUBSCRIBE round trips")
  func unsubscribe() throws {
    let packet =
      try bytes { try Subscribe.begin(.unsubscribe, packetID: 2, listLength: 3, into: &$0) }
      + bytes { try Subscribe.append(filter: "a".array.span, options: nil, to: &$0) }
    #expect(packet == [0xA2, 5, 0, 2, 0, 1, 97])
    let body = [UInt8](packet[2...])
    let start = try Unsubscribe.decode(body.span)
    let first = try Unsubscribe.entry(body.span, at: start.first)
    let entry = try #require(first)
    #expect([UInt8](body[entry.filter]) == "a".array)
    let end = try Unsubscribe.entry(body.span, at: entry.next)
    #expect(end == nil)
  }

  @Test("A list of filters is begun only where all of it has room")
  func subscribeWithoutRoom() {
    var buffer = [UInt8](repeating: 0, count: 9)
    var span = buffer.mutableSpan
    #expect(throws: EncodingError.bufferTooSmall) {
      try Subscribe.begin(packetID: 1, listLength: 6, into: &span)
    }
    #expect(throws: EncodingError.bufferTooSmall) {
      try Subscribe.append(filter: "1234567".array.span, options: 0, to: &span)
    }
    let long = [UInt8](repeating: 97, count: 65_536)
    #expect(throws: EncodingError.fieldTooLong) {
      try Subscribe.append(filter: long.span, options: 0, to: &span)
    }
    #expect(buffer.allSatisfy { $0 == 0 })
  }

  @Test("[MQTT-2.3.1-7] [MQTT-3.9.3-2] SUBACK answers each filter with a granted QoS or a refusal")
  func suback() throws {
    let codes: [UInt8] = [0, 1, 2, 0x80]
    let packet = try bytes { try Suback.encode(packetID: 7, codes: codes.span, into: &$0) }
    #expect(packet == [0x90, 6, 0, 7, 0, 1, 2, 0x80])
    let body = [UInt8](packet[2...])
    let answer = try Suback.decode(body.span)
    #expect(answer.packetID == 7 && answer.count == 4)
    let second = Suback.answer(body.span, at: 1)
    #expect(second == .granted(.atLeastOnce))
    let last = Suback.answer(body.span, at: 3)
    #expect(last == .refused)
    #expect(try bytes { try Suback.encode(packetID: 7, .refused, into: &$0) } == [0x90, 3, 0, 7, 0x80])
    #expect(subackFault([0, 1, 3]) == .reservedCode)
    #expect(subackFault([0, 1]) == .emptyList)
  }

  @Test("[MQTT-3.14.1-1] Packets without a body are two bytes")
  func emptyPackets() throws {
    #expect(try bytes { try EmptyPacket.encode(.pingreq, into: &$0) } == [0xC0, 0])
    #expect(try bytes { try EmptyPacket.encode(.pingresp, into: &$0) } == [0xD0, 0])
    #expect(try bytes { try EmptyPacket.encode(.disconnect, into: &$0) } == [0xE0, 0])
  }

  @Test("A packet that does not fit is not begun")
  func tooSmall() {
    var buffer = [UInt8](repeating: 0xEE, count: 8)
    var span = buffer.mutableSpan
    #expect(throws: EncodingError.bufferTooSmall) {
      try Publish.encode(
        topic: "abc".array.span, payload: "de".array.span, qos: .atMostOnce, retain: false, into: &span)
    }
    #expect(buffer.allSatisfy { $0 == 0xEE })
  }

  @Test("Fields and packets beyond the protocol's limits are refused")
  func limits() {
    let noBytes: [UInt8] = []
    let long = [UInt8](repeating: 97, count: 65_536)
    #expect(throws: EncodingError.fieldTooLong) {
      try bytes {
        try Publish.encode(
          topic: long.span, payload: noBytes.span, qos: .atMostOnce, retain: false, into: &$0)
      }
    }
    #expect(throws: EncodingError.fieldTooLong) {
      try bytes {
        try Connect.encode(Connect.Options(cleanSession: true, keepAlive: 0), clientID: long.span, into: &$0)
      }
    }
    #expect(Publish.encodedLength(topicCount: 1, payloadCount: 268_435_452, qos: .atMostOnce) == 268_435_460)
    #expect(Publish.encodedLength(topicCount: 1, payloadCount: 268_435_453, qos: .atMostOnce) == nil)
    #expect(Publish.encodedLength(topicCount: 1, payloadCount: .max, qos: .atLeastOnce) == nil)
  }
}
