/// The topics of a device, as exact bytes in one piece of memory: a text of the longest possible length for each
/// would cost half a kilobyte a topic.
final class TopicArena {
  /// Where a topic is.
  struct Place {
    fileprivate var start: Int32 = 0
    fileprivate var count: Int32 = 0

    var isNone: Bool { count == 0 }
  }

  private(set) var bytes: [UInt8] = []

  /// `prefix`, `module/`, `key` and `leaf` with a slash between them if there are both. Allocates: at start only.
  func add(_ prefix: FixedText, _ module: String, key: StaticString = "", _ leaf: StaticString) -> Place {
    let start = bytes.count
    for index in 0..<prefix.count { bytes.append(prefix[index]) }
    bytes.append(contentsOf: module.utf8)
    bytes.append(UInt8(ascii: "/"))
    key.withUTF8Buffer { bytes.append(contentsOf: $0) }
    if key.utf8CodeUnitCount > 0, leaf.utf8CodeUnitCount > 0 { bytes.append(UInt8(ascii: "/")) }
    leaf.withUTF8Buffer { bytes.append(contentsOf: $0) }
    return Place(start: Int32(start), count: Int32(bytes.count - start))
  }

  func withSpan<Result>(_ place: Place, _ body: (Span<UInt8>) -> Result) -> Result {
    let bytes = bytes
    return body(bytes.span.extracting(Int(place.start)..<Int(place.start + place.count)))
  }

  func isSame(_ place: Place, _ topic: FixedText) -> Bool {
    guard topic.count == Int(place.count), !topic.isTruncated else { return false }
    for index in 0..<topic.count where topic[index] != bytes[Int(place.start) + index] { return false }
    return true
  }
}
