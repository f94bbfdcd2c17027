import MQTTCodec

/// What an encoder writes, or nil when it throws.
func bytes(_ capacity: Int = 1024, _ encode: (inout MutableSpan<UInt8>) throws -> Int) throws -> [UInt8] {
  var buffer = [UInt8](repeating: 0xEE, count: capacity)
  var span = buffer.mutableSpan
  let count = try encode(&span)
  return [UInt8](buffer[..<count])
}

/// What a decoder throws, or nil.
func fault(_ decode: () throws(MalformedPacket) -> Void) -> MalformedPacket? {
  do {
    try decode()
    return nil
  } catch {
    return error
  }
}

extension String {
  var array: [UInt8] { [UInt8](utf8) }
}

// Spans cannot be arguments inside `#expect`: the same functions for arrays.

func isText(_ bytes: [UInt8]) -> Bool {
  UTF8Text.isValid(bytes.span)
}

func nameFault(_ bytes: [UInt8]) -> MalformedPacket? {
  fault { () throws(MalformedPacket) in try TopicName.check(bytes.span) }
}

func filterFault(_ bytes: [UInt8]) -> MalformedPacket? {
  fault { () throws(MalformedPacket) in try TopicFilter.check(bytes.span) }
}

func matches(_ filter: [UInt8], _ topic: [UInt8]) -> Bool {
  TopicFilter.matches(filter.span, topic: topic.span)
}

func header(_ bytes: [UInt8]) throws(MalformedPacket) -> FixedHeader? {
  try FixedHeader.decode(bytes.span)
}

func acknowledgementFault(_ bytes: [UInt8]) -> MalformedPacket? {
  fault { () throws(MalformedPacket) in _ = try Acknowledgement.decode(bytes.span) }
}

func subackFault(_ bytes: [UInt8]) -> MalformedPacket? {
  fault { () throws(MalformedPacket) in _ = try Suback.decode(bytes.span) }
}
