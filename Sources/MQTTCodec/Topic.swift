/// Topic names: where messages go.
public enum TopicName {
  /// Throws unless the bytes are a topic name: UTF-8, 1…65,535 bytes, no wildcard. Linear, one pass.
  ///
  /// [MQTT-3.3.2-1], [MQTT-3.3.2-2], [MQTT-4.7.1-1], [MQTT-4.7.3-1], [MQTT-4.7.3-2], [MQTT-4.7.3-3]
  public static func check(_ bytes: Span<UInt8>) throws(MalformedPacket) {
    let count = bytes.count
    guard count > 0 else { throw .emptyTopic }
    guard count <= 0xFFFF else { throw .invalidString }
    if !ASCIIWord.allSatisfy(bytes, { $0.isTopicText }) { try checkBytes(bytes) }
  }

  private static func checkBytes(_ bytes: Span<UInt8>) throws(MalformedPacket) {
    let count = bytes.count
    var index = 0
    while index < count {
      let byte = bytes[unchecked: index]
      if byte < 0x80 {
        if byte == 0 { throw .invalidString }
        if byte == UInt8(ascii: "#") || byte == UInt8(ascii: "+") { throw .wildcardInTopic }
        index += 1
        continue
      }
      let length = UTF8Text.sequenceLength(bytes, at: index)
      if length == 0 { throw .invalidString }
      index += length
    }
  }
}

/// Topic filters: which messages somebody wants.
public enum TopicFilter {
  private static let slash = UInt8(ascii: "/")
  private static let plus = UInt8(ascii: "+")
  private static let hash = UInt8(ascii: "#")

  /// Throws unless the bytes are a topic filter: UTF-8, 1…65,535 bytes, `+` alone in its level, `#`
  /// alone in the last. Linear.
  ///
  /// [MQTT-4.7.1-2], [MQTT-4.7.1-3], [MQTT-4.7.3-1], [MQTT-4.7.3-2], [MQTT-3.8.3-1]
  public static func check(_ bytes: Span<UInt8>) throws(MalformedPacket) {
    let count = bytes.count
    guard count > 0, count <= 0xFFFF else { throw .invalidFilter }
    guard UTF8Text.isValid(bytes) else { throw .invalidString }
    for index in 0..<count {
      let byte = bytes[unchecked: index]
      guard byte == plus || byte == hash else { continue }
      guard index == 0 || bytes[unchecked: index - 1] == slash else { throw .invalidFilter }
      let isLast = index == count - 1
      guard isLast || (byte == plus && bytes[unchecked: index + 1] == slash) else {
        throw .invalidFilter
      }
    }
  }

  /// Whether messages on `topic` are wanted by `filter`; both are valid. Linear, no recursion.
  ///
  /// [MQTT-4.7.2-1]: wildcards at the start do not match topics that begin with `$`. Bytes are
  /// compared as they are ([MQTT-4.7.3-4], no normalisation).
  public static func matches(_ filter: Span<UInt8>, topic: Span<UInt8>) -> Bool {
    guard filter.count > 0, topic.count > 0 else { return false }
    if topic[0] == UInt8(ascii: "$"), filter[0] == plus || filter[0] == hash { return false }
    var at = 0
    var index = 0
    while index < filter.count {
      let byte = filter[unchecked: index]
      if byte == hash { return true }
      if byte == plus {
        while at < topic.count, topic[unchecked: at] != slash { at += 1 }
        index += 1
      } else if at < topic.count, topic[unchecked: at] == byte {
        at += 1
        index += 1
      } else {
        // "a/#" also matches "a" itself (section 4.7.1.2).
        return at == topic.count && byte == slash
          && index + 2 == filter.count && filter[unchecked: index + 1] == hash
      }
    }
    return at == topic.count
  }
}
