// Bytes of a packet into the decoders: the first says which packet, the rest is its body. Whatever is
// accepted must come out of the encoder and be accepted again with the same meaning.
import MQTTCodec

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDecoder(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 0 else { return 0 }
  // The decoders see the fuzzer's own allocation: AddressSanitizer finds every byte read behind it.
  let body = UnsafeBufferPointer(start: start + 1, count: count - 1).span
  do throws(MalformedPacket) {
    switch start[0] % 20 {
    case 0: try header(body)
    case 1: try connect(body)
    case 2: _ = try Connack.decode(body)
    case 3: try connack(body)
    case 4: try publish(body, flags: start[0] >> 4)
    case 5: try publishV5(body, flags: start[0] >> 4)
    case 6: _ = try Acknowledgement.decode(body)
    case 7: try acknowledgement(body, .puback)
    case 8: try acknowledgement(body, .pubrec)
    case 9: try acknowledgement(body, .pubrel)
    case 10: try acknowledgement(body, .pubcomp)
    case 11: try subscribe(body, .v3_1_1)
    case 12: try subscribe(body, .v5)
    case 13: try unsubscribe(body, .v3_1_1)
    case 14: try unsubscribe(body, .v5)
    case 15: _ = try Suback.decode(body)
    case 16: try reasonList(body, .suback)
    case 17: try reasonList(body, .unsuback)
    case 18: try reason(body, .disconnect)
    default: try reason(body, .auth)
    }
  } catch {
    // The right answer to most inputs.
    precondition(error.reasonCode.isError && error.statement.utf8CodeUnitCount > 0)
  }
  filters(body)
  return 0
}

private func header(_ bytes: Span<UInt8>) throws(MalformedPacket) {
  guard let header = try FixedHeader.decode(bytes) else {
    precondition(bytes.count < 5, "five bytes say everything")
    return
  }
  precondition((2...5).contains(header.length) && (0...VariableByteInteger.max).contains(header.remaining))
}

private func connect(_ body: Span<UInt8>) throws(MalformedPacket) {
  let packet = try Connect.decode(body)
  checkProperties(body.extracting(packet.properties), .connect)
  let options = Connect.Options(
    version: packet.version, cleanSession: packet.cleanSession, keepAlive: packet.keepAlive,
    willQoS: packet.will?.qos ?? .atMostOnce, willRetain: packet.will?.retain ?? false)
  agree(body) { span throws(EncodingError) in
    try Connect.encode(
      options, properties: body.extracting(packet.properties), clientID: body.extracting(packet.clientID),
      willProperties: body.extracting(packet.will?.properties ?? 0..<0),
      willTopic: packet.will == nil ? nil : body.extracting(packet.will?.topic ?? 0..<0),
      willPayload: packet.will == nil ? nil : body.extracting(packet.will?.payload ?? 0..<0),
      username: packet.username == nil ? nil : body.extracting(packet.username ?? 0..<0),
      password: packet.password == nil ? nil : body.extracting(packet.password ?? 0..<0), into: &span)
  }
}

private func connack(_ body: Span<UInt8>) throws(MalformedPacket) {
  let packet = try ConnackV5.decode(body)
  checkProperties(body.extracting(packet.properties), .connack)
  // A refusal in the form of 3.1.1 is understood, and written in ours.
  guard body.count > 2 else { return }
  agree(body) { span throws(EncodingError) in
    try ConnackV5.encode(
      sessionPresent: packet.sessionPresent, reason: packet.reason,
      properties: body.extracting(packet.properties), into: &span)
  }
}

private func publish(_ body: Span<UInt8>, flags: UInt8) throws(MalformedPacket) {
  let packet = try Publish.decode(body, flags: flags)
  agree(body) { span throws(EncodingError) in
    try Publish.encode(
      topic: body.extracting(packet.topic), payload: body.extracting(packet.payload), qos: packet.qos,
      retain: packet.retain, duplicate: packet.duplicate, packetID: packet.packetID, into: &span)
  }
}

private func publishV5(_ body: Span<UInt8>, flags: UInt8) throws(MalformedPacket) {
  let packet = try Publish.decodeV5(body, flags: flags)
  checkProperties(body.extracting(packet.properties), .publish)
  agree(body) { span throws(EncodingError) in
    try Publish.encodeV5(
      topic: body.extracting(packet.topic), properties: body.extracting(packet.properties),
      payload: body.extracting(packet.payload), qos: packet.qos, retain: packet.retain,
      duplicate: packet.duplicate, packetID: packet.packetID, into: &span)
  }
}

private func acknowledgement(_ body: Span<UInt8>, _ type: PacketType) throws(MalformedPacket) {
  let packet = try ReasonedAcknowledgement.decode(body, of: type)
  precondition(packet.packetID != 0 && packet.reason.isValid(for: type))
  guard let owner = PropertyOwner(rawValue: type.rawValue) else {
    fatalError("an acknowledgement has properties")
  }
  checkProperties(body.extracting(packet.properties), owner)
  let written = encoded { span throws(EncodingError) in
    try ReasonedAcknowledgement.encode(
      type, packetID: packet.packetID, reason: packet.reason,
      properties: body.extracting(packet.properties), into: &span)
  }
  // The shortest form may be shorter than what came.
  let again = try ReasonedAcknowledgement.decode(
    written.span.extracting(2 + (written[1] >= 128 ? 1 : 0)..<written.count), of: type)
  precondition(again.packetID == packet.packetID && again.reason == packet.reason)
  precondition(again.properties.count == packet.properties.count)
}

private func subscribe(_ body: Span<UInt8>, _ version: ProtocolVersion) throws(MalformedPacket) {
  let start = try Subscribe.decode(body, version: version)
  checkProperties(body.extracting(start.properties), .subscribe)
  var position = start.first
  while let entry = try Subscribe.entry(body, at: position, version: version) {
    precondition(entry.next > position && entry.next <= body.count)
    precondition(entry.options.rawValue == body[entry.next - 1])
    position = entry.next
  }
}

private func unsubscribe(_ body: Span<UInt8>, _ version: ProtocolVersion) throws(MalformedPacket) {
  var position = try Unsubscribe.decode(body, version: version).first
  while let entry = try Unsubscribe.entry(body, at: position) {
    precondition(entry.next > position && entry.next <= body.count)
    position = entry.next
  }
}

private func reasonList(_ body: Span<UInt8>, _ type: PacketType) throws(MalformedPacket) {
  let packet = try ReasonList.decode(body, of: type)
  precondition(!packet.codes.isEmpty && packet.codes.upperBound == body.count)
  agree(body) { span throws(EncodingError) in
    try ReasonList.encode(
      type, packetID: packet.packetID, properties: body.extracting(packet.properties),
      codes: body.extracting(packet.codes), into: &span)
  }
}

private func reason(_ body: Span<UInt8>, _ type: PacketType) throws(MalformedPacket) {
  let packet = try Reason.decode(body, of: type)
  precondition(packet.code.isValid(for: type) && packet.properties.upperBound <= body.count)
}

/// What was accepted once is read the same way again, property by property.
private func checkProperties(_ bytes: Span<UInt8>, _ owner: PropertyOwner) {
  var position = 0
  do throws(MalformedPacket) {
    while let property = try Properties.next(bytes, at: &position) {
      precondition(property.id.isAllowed(in: owner))
      precondition(property.second.upperBound <= bytes.count && property.value.upperBound <= bytes.count)
    }
  } catch {
    fatalError("properties were accepted that cannot be read")
  }
  precondition(position == bytes.count)
}

/// The packet's body comes out of the encoder as it went into the decoder.
private func agree(
  _ body: Span<UInt8>, _ encode: (inout MutableSpan<UInt8>) throws(EncodingError) -> Int
) {
  let packet = encoded(encode)
  precondition(packet.count > body.count && packet.count <= body.count + 5)
  let offset = packet.count - body.count
  for index in body.indices { precondition(packet[offset + index] == body[index]) }
}

private func encoded(_ encode: (inout MutableSpan<UInt8>) throws(EncodingError) -> Int) -> [UInt8] {
  var buffer = [UInt8](repeating: 0, count: 1 << 17)
  var span = buffer.mutableSpan
  do throws(EncodingError) {
    let count = try encode(&span)
    return [UInt8](buffer[..<count])
  } catch {
    fatalError("what was decoded cannot be encoded")
  }
}

/// Names, filters and whether they match agree with each other on any bytes.
private func filters(_ bytes: Span<UInt8>) {
  do throws(MalformedPacket) {
    try TopicName.check(bytes)
  } catch {
    return
  }
  do throws(MalformedPacket) {
    try TopicFilter.check(bytes)
  } catch {
    fatalError("a topic name is a filter, too")
  }
  precondition(TopicFilter.matches(bytes, topic: bytes))
  precondition(UTF8Text.isValid(bytes))
}
