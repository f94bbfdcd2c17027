import DeviceFile
import DeviceRuntime

/// Topics of one's own, for dashboards and programs that are there already:
///
///     topic_prefix: /house/Cellar
///     availability_topic: ~/LWT
///     modules:
///       - relay: fan
///         line: GPIO5
///         state_topic: ~/Fan/is
///         command_topic: /cmnd/cellar/fan
///       - sensor: air
///         driver: SHT3x
///         bus: i2c-1
///         topics: { temperature: ~/Air/T, error: ~/Air/fault }
///
/// `~` in front stands for the prefix, which in turn stands for root and device.
public final class TopicNames: Dialect, OwnTopics {
  private var prefix = ""
  private var entries: [Own] = []
  public private(set) var availability: String?
  private var availabilityField: Field?

  private struct Own {
    var module: String
    /// What would be the last levels: `set`, `temperature`.
    var name: String
    var topic: String
    var field: Field

    let isCommand: Bool

    init(_ module: String, _ name: String, _ topic: String, _ field: Field) {
      (self.module, self.name, self.topic, self.field) = (module, name, topic, field)
      isCommand =
        name.equals("set") || name.bytes.count > 4 && name.bytes.suffix(4).elementsEqual("/set".utf8)
    }

    func isCalled(_ key: StaticString, _ leaf: StaticString) -> Bool {
      let isPlain = key.utf8CodeUnitCount == 0 || leaf.utf8CodeUnitCount == 0
      return name.equals(key.description + (isPlain ? "" : "/") + leaf.description)
    }
  }

  public init() {}

  public var board = ""
  public var heading: String { "" }
  public var retainedTopics: [String] { [] }
  public var isWanted: Bool { !entries.isEmpty }

  public var own: (any OwnTopics)? { self }

  // MARK: - The device file

  public func read(_ fields: Fields, _ prefix: String) -> String {
    self.prefix = prefix
    if let field = fields.optional("topic_prefix") {
      if fields.entry("root") != nil {
        field.report("'topic_prefix' and 'root' contradict each other", "leave 'root' out")
      }
      // Other programs end theirs with a slash.
      let text = topic(field, example: "home/Cellar")?.bytes ?? []
      let end = text.lastIndex { $0 != UInt8(ascii: "/") } ?? -1
      if end < 0 { field.reject(wanted: "levels like home/Cellar") }
      self.prefix = String(decoding: text.prefix(end + 1), as: UTF8.self)
    }
    if let field = fields.optional("availability_topic") {
      availability = topic(field, example: "~/LWT")
      availabilityField = field
    }
    return self.prefix
  }

  public func read(_ file: ModuleFile) {
    for (key, name) in [("state_topic", "state"), ("command_topic", "set")] {
      if let field = file.fields.optional(key) { add(field, file.name, name) }
    }
    guard let fields = file.fields.mapping("topics", example: "{ temperature: home/air/t }") else { return }
    for key in fields.keys {
      if let field = fields.optional(key) { add(field, file.name, key) }
    }
  }

  private func add(_ field: Field, _ module: String, _ name: String) {
    guard let topic = topic(field, example: "~/Fan") else { return }
    if entries.contains(where: { $0.module.equals(module) && $0.name.equals(name) }) {
      field.report(
        "\(field.title) is given twice", "'state_topic' is 'state' of 'topics', and 'command_topic' is 'set'")
    }
    entries.append(Own(module, name, topic, field))
  }

  /// A topic that can be published to, with the prefix for a `~`.
  private func topic(_ field: Field, example: String) -> String? {
    let wanted: Message = "a topic without '+' and '#', like \(example)"
    guard let text = field.text(wanted: wanted) else { return nil }
    let bytes = text.bytes
    if bytes.contains(UInt8(ascii: "+")) || bytes.contains(UInt8(ascii: "#"))
      || bytes.contains(where: { $0 < 0x20 })
    {
      field.reject(wanted: wanted)
      return nil
    }
    if bytes[0] == UInt8(ascii: "$") {
      field.report("\(field.title) begins with '$', where only brokers publish")
      return nil
    }
    if bytes.count > 128 {
      field.report("\(field.title) is longer than 128 bytes")
      return nil
    }
    return bytes.count > 1 && bytes.begins(with: "~/".bytes, at: 0) ? prefix + text.dropFirstBytes(1) : text
  }

  // MARK: - What is wrong with them

  public func settle(_ device: String, _ topics: Topics, _ modules: [any Module], _ problems: Problems) {
    var all = [topics.availability.string, topics.get.string]
    for module in modules {
      let own = topics.strings(of: module)
      all += own
      checkNames(of: module, own, topics)
    }
    for entry in entries { check(entry.topic, entry.field, all) }
    if let availability, let field = availabilityField { check(availability, field, all) }
  }

  /// Each is one that the module has.
  private func checkNames(of module: any Module, _ own: [String], _ topics: Topics) {
    let usual = Topics(prefix: "").strings(of: module).map { $0.dropFirstBytes(module.name.utf8.count + 2) }
    let names = usual.filter { !$0.equals("result") }
    for entry in entries where entry.module.equals(module.name) {
      if names.contains(where: { $0.equals(entry.name) }) { continue }
      entry.field.report("\(entry.field.title) has no effect", "its topics are \(listed(names))")
    }
  }

  private func check(_ topic: String, _ field: Field, _ all: [String]) {
    if all.filter({ $0.equals(topic) }).count > 1 {
      field.report("the topic \(topic.quoted) is another one's, too", "give each its own")
    } else if isCommon(topic) {
      field.report(
        "\(topic.quoted) is where modules are sent their commands", "end it otherwise than with /set")
    }
  }

  /// One of the device's own filters brings it: `<prefix>/+/set` and the same with more levels.
  private func isCommon(_ topic: String) -> Bool {
    let (bytes, start) = (topic.bytes, (prefix + "/").bytes)
    let end = "/set".bytes
    guard bytes.count > start.count + end.count, bytes.begins(with: start, at: 0) else { return false }
    return bytes.begins(with: end, at: bytes.count - end.count)
  }

  // MARK: - On the device

  public func start(on device: Device) {
    for entry in entries where entry.isCommand { device.takeCommands(on: FixedText(entry.topic)) }
  }

  public func flush(on device: Device) -> Bool { true }

  public func topic(of module: String, _ key: StaticString, _ leaf: StaticString) -> String? {
    for entry in entries where entry.module.equals(module) && entry.isCalled(key, leaf) { return entry.topic }
    return nil
  }

  public func module(ofCommand topic: FixedText) -> FixedText? {
    for entry in entries where entry.isCommand && FixedText(entry.topic) == topic {
      return FixedText(entry.module)
    }
    return nil
  }
}
