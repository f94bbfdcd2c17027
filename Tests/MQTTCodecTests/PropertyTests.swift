import MQTTCodec
import TestNumbers
import Testing

/// One valid property of each kind there is: its bytes and its owners, from section 2.2.2.2.
private let all: [(id: PropertyID, bytes: [UInt8], owners: [PropertyOwner])] = [
  (.payloadFormatIndicator, [0x01, 1], [.publish, .will]),
  (.messageExpiryInterval, [0x02, 0, 1, 0x51, 0x80], [.publish, .will]),
  (.contentType, [0x03, 0, 1, 97], [.publish, .will]),
  (.responseTopic, [0x08, 0, 3, 97, 47, 98], [.publish, .will]),
  (.correlationData, [0x09, 0, 2, 0, 0xFF], [.publish, .will]),
  (.subscriptionIdentifier, [0x0B, 0xFF, 0xFF, 0xFF, 0x7F], [.publish, .subscribe]),
  (.sessionExpiryInterval, [0x11, 0xFF, 0xFF, 0xFF, 0xFF], [.connect, .connack, .disconnect]),
  (.assignedClientIdentifier, [0x12, 0, 1, 97], [.connack]),
  (.serverKeepAlive, [0x13, 0, 10], [.connack]),
  (.authenticationMethod, [0x15, 0, 1, 97], [.connect, .connack, .auth]),
  (.authenticationData, [0x16, 0, 1, 0, 0x15, 0, 1, 97], [.connect, .connack, .auth]),
  (.requestProblemInformation, [0x17, 0], [.connect]),
  (.willDelayInterval, [0x18, 0, 0, 0, 5], [.will]),
  (.requestResponseInformation, [0x19, 1], [.connect]),
  (.responseInformation, [0x1A, 0, 1, 97], [.connack]),
  (.serverReference, [0x1C, 0, 1, 97], [.connack, .disconnect]),
  (
    .reasonString, [0x1F, 0, 1, 97],
    [.connack, .puback, .pubrec, .pubrel, .pubcomp, .suback, .unsuback, .disconnect, .auth]
  ),
  (.receiveMaximum, [0x21, 0xFF, 0xFF], [.connect, .connack]),
  (.topicAliasMaximum, [0x22, 0, 0], [.connect, .connack]),
  (.topicAlias, [0x23, 0, 1], [.publish]),
  (.maximumQoS, [0x24, 1], [.connack]),
  (.retainAvailable, [0x25, 0], [.connack]),
  (.userProperty, [0x26, 0, 1, 97, 0, 0], owners),
  (.maximumPacketSize, [0x27, 0, 0, 0, 1], [.connect, .connack]),
  (.wildcardSubscriptionAvailable, [0x28, 0], [.connack]),
  (.subscriptionIdentifierAvailable, [0x29, 0], [.connack]),
  (.sharedSubscriptionAvailable, [0x2A, 0], [.connack]),
]

private let owners: [PropertyOwner] = [
  .will, .connect, .connack, .publish, .puback, .pubrec, .pubrel, .pubcomp, .subscribe, .suback,
  .unsubscribe, .unsuback, .disconnect, .auth,
]

private func propertyFault(_ bytes: [UInt8], _ owner: PropertyOwner) -> MalformedPacket? {
  fault { () throws(MalformedPacket) in try Properties.check(bytes.span, for: owner) }
}

@Suite("Properties of MQTT 5.0")
struct PropertyTests {
  @Test("every property is allowed in its packets and in no other")
  func ownership() {
    #expect(all.count == 27)
    for (id, bytes, allowed) in all {
      for owner in owners {
        let expected: MalformedPacket? = allowed.contains(owner) ? nil : .propertyNotAllowed
        #expect(propertyFault(bytes, owner) == expected, "\(id) in \(owner)")
      }
    }
  }

  @Test("[MQTT5-1.5.7-1] every property may be there once; user properties as often as one likes")
  func repetition() {
    for (id, bytes, allowed) in all {
      let single = id == .authenticationData ? [UInt8](bytes.prefix(4)) : bytes
      for owner in allowed {
        let mayRepeat = id == .userProperty || id == .subscriptionIdentifier && owner == .publish
        #expect(
          propertyFault(bytes + single, owner) == (mayRepeat ? nil : .duplicateProperty), "\(id) in \(owner)")
      }
    }
  }

  @Test("a property that is cut off anywhere is found to be")
  func truncation() {
    for (id, bytes, allowed) in all {
      for length in 1..<bytes.count {
        // What is left of two properties may be one.
        if id == .authenticationData, length == 4 { continue }
        #expect(propertyFault([UInt8](bytes[..<length]), allowed[0]) == .truncated, "\(id), \(length) bytes")
      }
    }
  }

  @Test("an identifier that does not exist is an error, whatever follows")
  func unknown() {
    let known = Set(all.map(\.id.rawValue))
    for byte in UInt8.min...UInt8.max where !known.contains(byte) {
      #expect(propertyFault([byte, 0, 0, 0, 0, 0], .connack) == .unknownProperty)
    }
  }

  @Test(
    "[MQTT5-3.3.2-8] [MQTT5-3.3.2-14] values that a property may not have are errors",
    arguments: [
      ([0x01, 2], .publish, .propertyValue), ([0x17, 2], .connect, .propertyValue),
      ([0x19, 255], .connect, .propertyValue), ([0x24, 2], .connack, .propertyValue),
      ([0x25, 2], .connack, .propertyValue), ([0x28, 2], .connack, .propertyValue),
      ([0x29, 2], .connack, .propertyValue), ([0x2A, 2], .connack, .propertyValue),
      ([0x0B, 0], .publish, .propertyValue), ([0x21, 0, 0], .connack, .propertyValue),
      ([0x27, 0, 0, 0, 0], .connack, .propertyValue), ([0x23, 0, 0], .publish, .topicAlias),
      ([0x08, 0, 1, 0x23], .publish, .wildcardInTopic), ([0x08, 0, 0], .publish, .emptyTopic),
      ([0x03, 0, 1, 0xFF], .publish, .invalidString), ([0x26, 0, 0, 0, 1, 0], .publish, .invalidString),
      ([0x26, 0, 1, 0xC0, 0, 0], .publish, .invalidString), ([0x16, 0, 0], .auth, .propertyValue),
      ([0x0B, 0x80, 0], .publish, .lengthNotMinimal),
      ([0x0B, 0x80, 0x80, 0x80, 0x80, 1], .publish, .lengthTooLong),
    ] as [([UInt8], PropertyOwner, MalformedPacket)])
  func values(_ bytes: [UInt8], _ owner: PropertyOwner, _ expected: MalformedPacket) {
    #expect(propertyFault(bytes, owner) == expected)
  }

  @Test("properties are read in order, with their values")
  func reading() throws {
    let bytes: [UInt8] =
      [0x02, 0, 1, 0x51, 0x80, 0x23, 1, 2, 0x0B, 0x80, 1, 0x26, 0, 1] + "k".array + [0, 2] + "vv".array
    var position = 0
    let first = try #require(try Properties.next(bytes.span, at: &position))
    #expect(first.id == .messageExpiryInterval && first.number == 86_400)
    #expect(try Properties.next(bytes.span, at: &position)?.number == 0x0102)
    #expect(try Properties.next(bytes.span, at: &position)?.number == 128)
    let pair = try #require(try Properties.next(bytes.span, at: &position))
    #expect([UInt8](bytes[pair.value]) == "k".array && [UInt8](bytes[pair.second]) == "vv".array)
    #expect(try Properties.next(bytes.span, at: &position) == nil && position == bytes.count)
  }

  @Test("random bytes never end in a trap, and reading them always comes to an end")
  func noise() {
    var random = SplitMix(state: 7)
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
        UInt8.random(in: 0...(Bool.random(using: &random) ? 0x2B : 0xFF), using: &random)
      }
      for owner in owners { _ = propertyFault(bytes, owner) }
    }
  }
}
