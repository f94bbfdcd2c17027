/// The topics of one device: `<root>/<device>/availability` and `<root>/<device>/<module>/<leaf>`.
public struct Topics {
  /// `<root>/<device>/`
  public let prefix: FixedText

  public init(root: String, device: String) {
    var prefix = FixedText()
    prefix.append(root)
    prefix.append("/")
    prefix.append(device)
    prefix.append("/")
    self.prefix = prefix
  }

  public var availability: FixedText {
    var topic = prefix
    topic.append("availability")
    return topic
  }

  /// Whatever comes there asks for everything to be published now.
  public var get: FixedText {
    var topic = prefix
    topic.append("get")
    return topic
  }

  /// The filter that brings every module's commands.
  public var commands: FixedText {
    var filter = prefix
    filter.append("+/set")
    return filter
  }

  /// The filter that brings the commands of modules' parts: `blind/position/set`.
  var partCommands: FixedText {
    var filter = prefix
    filter.append("+/+/set")
    return filter
  }

  /// The filter that brings the commands of what listeners have: `sim/air/fault/set`.
  var listenerCommands: FixedText {
    var filter = prefix
    filter.append("+/+/+/set")
    return filter
  }

  public func topic(of module: String, _ leaf: StaticString) -> FixedText {
    var topic = prefix
    topic.append(module)
    topic.append("/")
    topic.append(leaf)
    return topic
  }

  /// The module's level of a command topic, or as many from there as `levels` says; nil when the topic is not
  /// `<prefix><module>/…set`, or so long that no answer could be given.
  func module(ofCommand topic: FixedText, levels: Int = 1) -> FixedText? {
    let suffix: StaticString = "/set"
    guard topic.count + 3 <= FixedText.capacity, !topic.isTruncated else { return nil }
    let end = topic.count - suffix.utf8CodeUnitCount
    guard end >= prefix.count else { return nil }
    for index in 0..<prefix.count where topic[index] != prefix[index] { return nil }
    for index in end..<topic.count where topic[index] != suffix.utf8Start[index - end] { return nil }
    var module = FixedText()
    var rest = levels
    for index in prefix.count..<end {
      if topic[index] == UInt8(ascii: "/") {
        rest -= 1
        if rest == 0 { break }
      }
      module.append(byte: topic[index])
    }
    return module
  }

  /// What stands between a level and `/set` in a command topic that begins with the level.
  func path(ofCommand topic: FixedText, below level: FixedText) -> FixedText {
    var path = FixedText()
    let (begin, end) = (prefix.count + level.count + 1, topic.count - 4)
    if begin < end { for index in begin..<end { path.append(byte: topic[index]) } }
    return path
  }
}
