import DeviceFile
import DeviceRuntime

/// Several dialects as one.
public final class DialectList: Dialect {
  private let all: [any Dialect]
  /// Those that the device file wants.
  private var wanted: [any Dialect] = []

  public init(_ dialects: [any Dialect]) { all = dialects }

  public var isWanted: Bool { !wanted.isEmpty }
  public var heading: String { wanted.last?.heading ?? "" }
  public var retainedTopics: [String] { wanted.flatMap { $0.retainedTopics } }

  public var board = "" {
    didSet { for dialect in wanted { dialect.board = board } }
  }

  public var own: (any OwnTopics)? {
    for dialect in all { if let own = dialect.own { return own } }
    return nil
  }

  public func read(_ fields: Fields, _ prefix: String) -> String {
    var prefix = prefix
    for dialect in all { prefix = dialect.read(fields, prefix) }
    return prefix
  }

  public func read(_ file: ModuleFile) {
    for dialect in all { dialect.read(file) }
  }

  public func settle(_ device: String, _ topics: Topics, _ modules: [any Module], _ problems: Problems) {
    for dialect in all { dialect.settle(device, topics, modules, problems) }
    wanted = all.filter { $0.isWanted }
  }

  public func start(on device: Device) {
    for dialect in wanted { dialect.start(on: device) }
  }

  public func markAll() {
    for dialect in wanted { dialect.markAll() }
  }

  public func flush(on device: Device) -> Bool {
    for dialect in wanted { guard dialect.flush(on: device) else { return false } }
    return true
  }

  public func heard(_ packetID: UInt16) {
    for dialect in wanted { dialect.heard(packetID) }
  }

  public func receive(_ topic: FixedText, _ payload: FixedText, retained: Bool) -> Bool {
    for dialect in wanted { if dialect.receive(topic, payload, retained: retained) { return true } }
    return false
  }
}
