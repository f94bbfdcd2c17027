import MQTTCodec

// What packets of 5.0 carry beside what they mean.
extension MQTTClient {
  /// Gives `body` the properties of a message that the latest `nextEvent` answered, encoded:
  /// `Properties.next` reads them. None in 3.1.1. They are not copied and end with the call.
  public func withProperties<R, E: Error>(
    of message: MQTTMessage, _ body: (Span<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    precondition(message.serial == current.serial, "the message is gone: a later event was pulled")
    let count = Int(message.propertiesCount)
    return try body(received.bytes(at: Int(message.payloadStart) - count, count: count).span)
  }

  /// Gives `body` the properties of the packet behind the latest event that is not a message: of a
  /// `CONNACK`, an acknowledgement, a `DISCONNECT` and so on. Encoded; none in 3.1.1.
  public func withEventProperties<R, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    try body(received.bytes(at: eventProperties.lowerBound, count: eventProperties.count).span)
  }

  /// Gives `body` the server's words on the latest event, if it has any. UTF-8.
  public func withReasonString(_ body: (Span<UInt8>) -> Void) {
    withEventProperty(.reasonString, body)
  }

  /// Gives `body` the first property of that kind of the latest event, if there is one.
  func withEventProperty(_ id: PropertyID, _ body: (Span<UInt8>) -> Void) {
    withEventProperties { properties in
      Properties.withFirst(id, in: properties, body)
    }
  }

  /// Remembers where the properties of a packet are; `range` is one of its body, which is at `position`.
  func noteProperties(_ range: Range<Int>, at position: Int) {
    eventProperties = range.lowerBound + position..<range.upperBound + position
  }

  /// Reads properties that were checked.
  func readProperties(
    _ bytes: Span<UInt8>, _ body: (Property, Span<UInt8>) -> Void
  ) throws(MQTTDisconnectReason) {
    do throws(MalformedPacket) {
      var position = 0
      while let property = try Properties.next(bytes, at: &position) { body(property, bytes) }
    } catch {
      throw .malformed(error)
    }
  }
}

extension Properties {
  /// Gives `body` the value of the first property of that kind, if there is one: a string or bytes.
  public static func withFirst(_ id: PropertyID, in bytes: Span<UInt8>, _ body: (Span<UInt8>) -> Void) {
    do throws(MalformedPacket) {
      var position = 0
      while let property = try next(bytes, at: &position) {
        if property.id == id { return body(bytes.extracting(property.value)) }
      }
    } catch {
      return
    }
  }
}

extension MQTTClient {
  /// Whether our `DISCONNECT` may carry these: a server that was to keep no session cannot keep it longer,
  /// and takes no packet that is too long. [MQTT5-3.14.2-2], [MQTT5-3.14.2-3], [MQTT5-3.14.2-4]
  func mayCarry(_ properties: Span<UInt8>) -> Bool {
    guard isV5, properties.count + 8 <= Int(clamping: serverLimits.maximumPacketSize) else { return false }
    do throws(MalformedPacket) {
      try Properties.check(properties, for: .disconnect)
      var position = 0
      while let property = try Properties.next(properties, at: &position) {
        if property.id == .sessionExpiryInterval, property.number > 0, connectPacket.sessionExpiry == 0 {
          return false
        }
      }
      return true
    } catch {
      return false
    }
  }
}
