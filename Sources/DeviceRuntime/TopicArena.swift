import DeviceFile

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

  /// Allocates: at start only.
  func add(_ topics: Topics, _ module: String, key: StaticString = "", _ leaf: StaticString) -> Place {
    let start = bytes.count
    bytes += topics.string(of: module, key, leaf).bytes
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
