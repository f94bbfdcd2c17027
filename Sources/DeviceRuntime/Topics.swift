import DeviceFile

/// The topics of one device: `<root>/<device>/availability` and `<root>/<device>/<module>/<leaf>`, unless its device file
/// calls them otherwise.
public struct Topics {
  /// `<root>/<device>/`
  public let prefix: FixedText
  public let own: (any OwnTopics)?

  public init(root: String, device: String) {
    self.init(prefix: root + "/" + device)
  }

  /// `prefix` has no slash at its end.
  public init(prefix: String, own: (any OwnTopics)? = nil) {
    self.prefix = FixedText(prefix + "/")
    self.own = own
  }

  public var availability: FixedText {
    if let own = own?.availability { return FixedText(own) }
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

  /// With a slash between `key` and `leaf` if there are both. Allocates.
  public func string(of module: String, _ key: StaticString, _ leaf: StaticString) -> String {
    if let own = own?.topic(of: module, key, leaf) { return own }
    let isPlain = key.utf8CodeUnitCount == 0 || leaf.utf8CodeUnitCount == 0
    let topic: Message =
      "\(prefix.string)\(module)/\(key.description)\(isPlain ? "" : "/")\(leaf.description)"
    return topic.text
  }

  /// All of a module, as its entities have them.
  public func strings(of module: any Module) -> [String] {
    var strings: [String] = []
    var takesCommands = false
    for entity in module.entities {
      takesCommands = takesCommands || entity.access.contains(.command)
      entity.forEachTopic { strings.append(string(of: module.name, $0, $1)) }
    }
    if takesCommands { strings.append(string(of: module.name, "", "result")) }
    return strings + [string(of: module.name, "", "error")]
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
