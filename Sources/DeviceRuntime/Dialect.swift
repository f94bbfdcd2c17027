import DeviceFile
import MQTTClient

/// What other programs want to be told of a device in their own way, such as Home Assistant's discovery: derived from the
/// entities that modules declare, and from nothing else. A program has the dialects that its catalog names.
public protocol Dialect: DevicePart, OnlineErrand {
  /// Its keys of the device file, before those of the modules. `prefix` is where the device's topics begin, `home/den`;
  /// the answer, where they do begin.
  func read(_ fields: Fields, _ prefix: String) -> String

  /// Its keys of one module.
  func read(_ file: ModuleFile)

  /// The device file is read, and the device has these topics and modules. What is wrong is reported.
  func settle(_ device: String, _ topics: Topics, _ modules: [any Module], _ problems: Problems)

  /// Topics that are called otherwise.
  var own: (any OwnTopics)? { get }

  /// What people call the device's board.
  var board: String { get set }

  /// The device file wants it.
  var isWanted: Bool { get }

  /// Its topics on which the broker keeps something.
  var retainedTopics: [String] { get }

  /// What `check` calls it.
  var heading: String { get }
}

extension Dialect {
  public var own: (any OwnTopics)? { nil }
}

extension Device {
  /// Has the device speak a dialect from its start on; `board` is what people call its board.
  public func speak(_ dialect: any Dialect, board: String) {
    dialect.board = board
    add(dialect)
    add(errand: dialect)
  }

  /// Nothing is wrong with the module at that place.
  public func isWell(_ module: Int) -> Bool { slots[module].error.isEmpty }

  /// A retained message of QoS 1 that is no module's; its packet identifier, or nil: there is no room for it now.
  public func publish(_ topic: FixedText, retaining payload: Span<UInt8>) -> UInt16? {
    topic.withSpan { topic in
      do throws(MQTTPublishError) {
        return try client.publish(topic: topic, payload: payload, qos: .atLeastOnce, retain: true)
      } catch {
        return nil
      }
    }
  }

  /// Takes commands on a topic that none of the device's filters brings.
  public func takeCommands(on topic: FixedText) { subscribe(topic) }

  /// Listens for messages that are no commands. Those that the broker has kept come with the retain flag, others without.
  public func listen(to topic: FixedText) {
    subscribe(topic, MQTTSubscribeOptions(qos: .atMostOnce))
  }
}
