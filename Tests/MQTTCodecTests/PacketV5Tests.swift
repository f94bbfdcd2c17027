import MQTTCodec
import Testing

private let reasonString: [UInt8] = [0x1F, 0, 2, 104, 105]

@Suite("Packets of MQTT 5.0, byte by byte")
struct PacketV5Tests {
  @Test("[MQTT5-3.1.2-1] [MQTT5-3.1.3-1] a full CONNECT has its fields and properties in order")
  func connect() throws {
    let packet = try bytes { span in
      try Connect.encode(
        Connect.Options(
          version: .v5, cleanSession: true, keepAlive: 60, willQoS: .exactlyOnce, willRetain: true),
        properties: [0x21, 0, 20].span, clientID: "id".array.span, willProperties: [0x18, 0, 0, 0, 5].span,
        willTopic: "w".array.span, willPayload: "off".array.span, username: "me".array.span,
        password: [1, 2].span, into: &span)
    }
    let expected: [UInt8] =
      [0x10, 40, 0, 4] + "MQTT".array + [5, 0b1111_0110, 0, 60, 3, 0x21, 0, 20, 0, 2] + "id".array
      + [5, 0x18, 0, 0, 0, 5, 0, 1] + "w".array + [0, 3] + "off".array + [0, 2] + "me".array + [0, 2, 1, 2]
    #expect(packet == expected)
    let body = [UInt8](packet[2...])
    let decoded = try Connect.decode(body.span)
    #expect(decoded.version == .v5 && decoded.cleanSession && decoded.keepAlive == 60)
    #expect([UInt8](body[decoded.properties]) == [0x21, 0, 20])
    let will = try #require(decoded.will)
    #expect([UInt8](body[will.properties]) == [0x18, 0, 0, 0, 5] && will.qos == .exactlyOnce)
    for length in 0..<body.count {
      let cut = [UInt8](body[..<length])
      #expect(fault { () throws(MalformedPacket) in _ = try Connect.decode(cut.span) } == .truncated)
    }
  }

  @Test(
    "[MQTT5-2.2.2-1] [MQTT5-3.1.2-7] [MQTT5-3.1.2-8] a bare CONNECT has no properties; a password needs no user name"
  )
  func bareConnect() throws {
    let empty: [UInt8] = []
    let packet = try bytes { span in
      try Connect.encode(
        Connect.Options(version: .v5, cleanSession: false, keepAlive: 0), clientID: empty.span,
        password: [9].span, into: &span)
    }
    #expect(packet == [0x10, 16, 0, 4] + "MQTT".array + [5, 0b0100_0000, 0, 0, 0, 0, 0, 0, 1, 9])
    #expect(try Connect.decode([UInt8](packet[2...]).span).password != nil)
  }

  @Test("properties given for a 3.1.1 CONNECT are left out")
  func oldConnect() throws {
    let packet = try bytes { span in
      try Connect.encode(
        Connect.Options(cleanSession: true, keepAlive: 0), properties: [0x21, 0, 20].span,
        clientID: "x".array.span, willProperties: [1, 1].span, willTopic: "w".array.span,
        willPayload: "o".array.span, into: &span)
    }
    #expect(packet == [0x10, 19, 0, 4] + "MQTT".array + [4, 6, 0, 0, 0, 1, 120, 0, 1, 119, 0, 1, 111])
  }

  @Test("[MQTT5-3.2.2-6] [MQTT5-3.2.2-8] CONNACK tells session, reason and properties, and no reserved code")
  func connack() throws {
    let body: [UInt8] = [1, 0, 6, 0x13, 0, 30, 0x22, 0, 5]
    let decoded = try ConnackV5.decode(body.span)
    #expect(decoded.sessionPresent && decoded.reason == .success && decoded.properties == 3..<9)
    let packet = try bytes { span in
      try ConnackV5.encode(
        sessionPresent: true, reason: .success, properties: [0x13, 0, 30, 0x22, 0, 5].span, into: &span)
    }
    #expect(packet == [0x20, 9] + body)
    for (body, reason): ([UInt8], MalformedPacket) in [
      ([2, 0, 0], .contradictoryFlags), ([1, 0x87, 0], .contradictoryFlags), ([0, 1, 0], .reservedCode),
      ([0, 0x8E, 0], .reservedCode), ([0, 0], .truncated), ([0], .truncated), ([0, 0, 1], .truncated),
      ([0, 0, 0, 0], .wrongLength), ([0, 0, 0x80, 0], .lengthNotMinimal),
      ([0, 0, 2, 0x17, 0], .propertyNotAllowed),
    ] {
      #expect(
        fault { () throws(MalformedPacket) in _ = try ConnackV5.decode(body.span) } == reason, "\(body)")
    }
  }

  @Test("a refusal in the form of 3.1.1 is understood: such a server does not know ours")
  func oldRefusal() throws {
    for (code, reason): (UInt8, ReasonCode) in [
      (1, .unsupportedProtocolVersion), (2, .clientIdentifierNotValid), (3, .serverUnavailable),
      (4, .badUserNameOrPassword), (5, .notAuthorized),
    ] {
      #expect(try ConnackV5.decode([0, code].span).reason == reason)
    }
  }

  @Test(
    "[MQTT5-2.2.1-2] PUBLISH carries its alias in front of the other properties, and nothing without need")
  func publish() throws {
    let empty: [UInt8] = []
    let bare = try bytes { span in
      try Publish.encodeV5(
        topic: "a".array.span, properties: empty.span, payload: "xy".array.span, qos: .atMostOnce,
        retain: false, into: &span)
    }
    #expect(bare == [0x30, 6, 0, 1, 97, 0, 120, 121])
    let full = try bytes { span in
      try Publish.encodeV5(
        topic: empty.span, properties: [1, 1].span, payload: "xy".array.span, qos: .exactlyOnce, retain: true,
        duplicate: true, packetID: 0x0102, topicAlias: 7, into: &span)
    }
    #expect(full == [0x3D, 12, 0, 0, 1, 2, 5, 0x23, 0, 7, 1, 1, 120, 121])
    #expect(
      Publish.encodedLengthV5(topicCount: 0, payloadCount: 2, propertiesCount: 5, qos: .exactlyOnce)
        == full.count)
    let decoded = try Publish.decodeV5([UInt8](full[2...]).span, flags: 0xD)
    #expect(decoded.topic.isEmpty && decoded.packetID == 0x0102 && decoded.properties == 5..<10)
    #expect(decoded.payload == 10..<12 && decoded.retain && decoded.duplicate && decoded.qos == .exactlyOnce)
  }

  @Test(
    "[MQTT5-3.3.1-4] [MQTT5-3.3.2-2] a PUBLISH that is none is refused with the reason",
    arguments: [
      ([0, 1, 97], 0, .truncated), ([0, 1, 97, 1], 0, .truncated), ([0, 1, 97, 2, 1], 0, .truncated),
      ([0, 1, 97, 0, 0, 0], 2, .zeroPacketID), ([0, 1, 97, 0, 1], 2, .truncated),
      ([0, 1, 0x2B, 0], 0, .wildcardInTopic), ([0, 1, 0xFF, 0], 0, .invalidString),
      ([0, 1, 97, 0], 6, .invalidQoS), ([0, 1, 97, 2, 0x24, 0], 0, .propertyNotAllowed),
      ([0, 1, 97, 0x80, 0], 0, .lengthNotMinimal), ([0], 0, .truncated), ([0, 9, 97], 0, .truncated),
    ] as [([UInt8], UInt8, MalformedPacket)])
  func malformedPublish(_ body: [UInt8], _ flags: UInt8, _ reason: MalformedPacket) {
    #expect(
      fault { () throws(MalformedPacket) in _ = try Publish.decodeV5(body.span, flags: flags) } == reason)
  }

  @Test(
    "[MQTT5-3.4.2-1] [MQTT5-3.5.2-1] [MQTT5-3.6.2-1] [MQTT5-3.7.2-1] acknowledgements take their shortest form",
    arguments: [PacketType.puback, .pubrec, .pubrel, .pubcomp])
  func acknowledgements(_ type: PacketType) throws {
    let first = type.rawValue << 4 | (type == .pubrel ? 2 : 0)
    let empty: [UInt8] = []
    let failure: ReasonCode = type == .puback || type == .pubrec ? .quotaExceeded : .packetIdentifierNotFound
    for (reason, properties, expected): (ReasonCode, [UInt8], [UInt8]) in [
      (.success, empty, [first, 2, 0, 9]), (failure, empty, [first, 3, 0, 9, failure.rawValue]),
      (failure, reasonString, [first, 9, 0, 9, failure.rawValue, 5] + reasonString),
      (.success, reasonString, [first, 9, 0, 9, 0, 5] + reasonString),
    ] {
      let packet = try bytes { span in
        try ReasonedAcknowledgement.encode(
          type, packetID: 9, reason: reason, properties: properties.span, into: &span)
      }
      #expect(packet == expected)
      let body = [UInt8](packet[2...])
      let decoded = try ReasonedAcknowledgement.decode(body.span, of: type)
      #expect(decoded.packetID == 9 && decoded.reason == reason)
      #expect([UInt8](body[decoded.properties]) == properties)
      for length in 0..<body.count where length != 2 && length != 3 {
        let cut = [UInt8](body[..<length])
        #expect(
          fault { () throws(MalformedPacket) in _ = try ReasonedAcknowledgement.decode(cut.span, of: type) }
            != nil)
      }
    }
    #expect(acknowledgementFault([0, 9, 0x8E], of: type) == .reservedCode)
    #expect(acknowledgementFault([0, 0, 0], of: type) == .zeroPacketID)
    #expect(acknowledgementFault([0, 9, 0, 0, 0], of: type) == .wrongLength)
  }

  @Test(
    "[MQTT5-3.8.1-1] [MQTT5-3.8.3-1] [MQTT5-3.8.3-5] SUBSCRIBE carries properties and the filter's options")
  func subscribe() throws {
    let options = SubscriptionOptions(
      qos: .exactlyOnce, noLocal: true, retainAsPublished: true, retainHandling: .doNotSend)
    let properties: [UInt8] = [0x0B, 5]
    let packet =
      try bytes { span in
        try Subscribe.begin(
          packetID: 3, properties: properties.span, version: .v5, listLength: 6, into: &span)
      } + bytes { try Subscribe.append(filter: "a/+".array.span, options: options.rawValue, to: &$0) }
    #expect(packet == [0x82, 11, 0, 3, 2, 0x0B, 5, 0, 3] + "a/+".array + [0b0010_1110])
    let body = [UInt8](packet[2...])
    let start = try Subscribe.decode(body.span, version: .v5)
    #expect(start.packetID == 3 && start.properties == 3..<5)
    #expect(try Subscribe.entry(body.span, at: start.first, version: .v5)?.options == options)
    for byte: UInt8 in [0x40, 0x80, 0x30] {
      #expect(subscribeFault([0, 1, 97, byte]) == .subscriptionOptions)
    }
    #expect(subscribeFault([0, 1, 97, 3]) == .invalidQoS)
  }

  @Test("[MQTT5-3.10.1-1] UNSUBSCRIBE carries properties and the filter")
  func unsubscribe() throws {
    let properties: [UInt8] = [0x26, 0, 0, 0, 0]
    let packet =
      try bytes { span in
        try Subscribe.begin(
          .unsubscribe, packetID: 4, properties: properties.span, version: .v5, listLength: 3, into: &span)
      } + bytes { try Subscribe.append(filter: "a".array.span, options: nil, to: &$0) }
    #expect(packet == [0xA2, 11, 0, 4, 5, 0x26, 0, 0, 0, 0, 0, 1, 97])
    let body = [UInt8](packet[2...])
    #expect(try Unsubscribe.decode(body.span, version: .v5).first == 8)
  }

  @Test("[MQTT5-3.9.3-2] [MQTT5-3.11.3-2] SUBACK and UNSUBACK carry one code for each filter")
  func reasonLists() throws {
    for (type, codes): (PacketType, [UInt8]) in [(.suback, [0, 1, 2, 0x87]), (.unsuback, [0, 0x11, 0x8F])] {
      let packet = try bytes { span in
        try ReasonList.encode(
          type, packetID: 5, properties: reasonString.span, codes: codes.span, into: &span)
      }
      #expect(packet == [type.rawValue << 4, UInt8(8 + codes.count), 0, 5, 5] + reasonString + codes)
      let body = [UInt8](packet[2...])
      let decoded = try ReasonList.decode(body.span, of: type)
      #expect(decoded.packetID == 5 && [UInt8](body[decoded.codes]) == codes)
      for (body, reason): ([UInt8], MalformedPacket) in [
        ([0, 5, 0], .emptyList), ([0, 5, 0, 0x8E], .reservedCode), ([0, 0, 0, 0], .zeroPacketID),
        ([0, 5], .truncated), ([0, 5, 2, 0], .truncated),
      ] {
        #expect(
          fault { () throws(MalformedPacket) in _ = try ReasonList.decode(body.span, of: type) } == reason)
      }
    }
  }

  @Test("[MQTT5-3.14.2-1] [MQTT5-3.15.2-1] DISCONNECT and AUTH take their shortest form")
  func reasons() throws {
    let empty: [UInt8] = []
    for (type, code, properties, expected): (PacketType, ReasonCode, [UInt8], [UInt8]) in [
      (.disconnect, .normalDisconnection, empty, [0xE0, 0]),
      (.disconnect, .disconnectWithWillMessage, empty, [0xE0, 1, 4]),
      (.disconnect, .serverMoved, [0x1C, 0, 1, 97], [0xE0, 6, 0x9D, 4, 0x1C, 0, 1, 97]),
      (.auth, .continueAuthentication, [0x15, 0, 1, 97], [0xF0, 6, 0x18, 4, 0x15, 0, 1, 97]),
    ] {
      let packet = try bytes { span in try Reason.encode(type, code, properties: properties.span, into: &span)
      }
      #expect(packet == expected)
      let body = [UInt8](packet[2...])
      let decoded = try Reason.decode(body.span, of: type)
      #expect(decoded.code == code && [UInt8](body[decoded.properties]) == properties)
    }
    for (type, body, reason): (PacketType, [UInt8], MalformedPacket) in [
      (.disconnect, [0x18], .reservedCode), (.auth, [0x87], .reservedCode),
      (.disconnect, [0, 1], .truncated),
      (.disconnect, [0, 0, 0], .wrongLength), (.auth, [0x18, 5, 0x1C, 0, 2, 97, 98], .propertyNotAllowed),
    ] {
      #expect(fault { () throws(MalformedPacket) in _ = try Reason.decode(body.span, of: type) } == reason)
    }
  }

  @Test("[MQTT5-1.5.5-1] a remaining length in a longer form than it needs is recognised")
  func minimalLength() throws {
    #expect(try header([0xD0, 0])?.isMinimal == true)
    #expect(try header([0x30, 0x80, 1])?.isMinimal == true)
    #expect(try header([0x30, 0xFF, 0])?.isMinimal == false)
    #expect(try header([0x30, 0x80, 0x80, 0])?.isMinimal == false)
  }

  @Test("every reason code has a name of its own, and reserved ones are in no packet")
  func reasonCodes() {
    let types: [PacketType] = [
      .connack, .puback, .pubrec, .pubrel, .pubcomp, .suback, .unsuback, .disconnect, .auth,
    ]
    var names: Set<String> = []
    for value in UInt8.min...UInt8.max {
      let code = ReasonCode(rawValue: value)
      let isUsed = types.contains { code.isValid(for: $0) }
      #expect((code.text.description == "reserved reason code") == !isUsed, "\(value)")
      if isUsed { #expect(names.insert(code.text.description).inserted) }
    }
    #expect(names.count == 43)
  }
}

private func acknowledgementFault(_ body: [UInt8], of type: PacketType) -> MalformedPacket? {
  fault { () throws(MalformedPacket) in _ = try ReasonedAcknowledgement.decode(body.span, of: type) }
}

private func subscribeFault(_ entry: [UInt8]) -> MalformedPacket? {
  fault { () throws(MalformedPacket) in _ = try Subscribe.entry(entry.span, at: 0, version: .v5) }
}
