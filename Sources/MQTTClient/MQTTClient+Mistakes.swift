import MQTTCodec

/// Whether the server made mistakes.
struct Mistakes {
  /// On the connection before.
  var before = false
  /// On this one.
  var now = false
}

extension MQTTClient {
  /// A mistake of the server: whether it is to be put up with, because the connection before ended for one. A
  /// server that passes on what others got wrong, and keeps it for us, can do no better on any connection.
  func putsUpWithMistake() -> Bool {
    mistakes.now = true
    return mistakes.before
  }

  /// Puts up with the packet in front, which has a mistake in it, if that can be: throws it away, and
  /// acknowledges it, so that the server does not send it again.
  func passesOver() -> Bool {
    guard putsUpWithMistake(), state == .connected else { return false }
    if skipping != nil {
      skipping = nil
      return true
    }
    do throws(MalformedPacket) {
      guard let header = try FixedHeader.decode(received.contents.span), header.type != .auth else {
        return false
      }
      let qos = header.type == .publish ? header.flags & 0b110 : 0
      let topic = received.bytes(at: received.head + header.length, count: 2)
      if qos != 0, received.count < header.length + 2 { return false }
      skipping = SkippedPacket(
        length: header.packetLength,
        packetIDPosition: qos == 0 ? nil : header.length + 2 + (Int(topic[0]) << 8 | Int(topic[1])),
        isExactlyOnce: qos == 0b100)
      counters.malformed &+= 1
      return true
    } catch {
      return false
    }
  }
}
