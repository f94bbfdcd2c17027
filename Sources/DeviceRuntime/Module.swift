import HAL

/// One thing a device does: a relay, a button, a sensor, or a class of the user's own.
///
/// A module owns its hardware and speaks under `<root>/<device>/<name>/…`. All calls come on the event
/// loop and return at once; slow hardware goes through a `WorkQueue`.
public protocol Module: AnyObject {
  /// The topic level under the device's, such as `fan`.
  var name: String { get }

  /// What others see of it, the same all its life.
  var entities: [Entity] { get }

  /// What it calls its two states, where its device file may say that.
  var stateWords: StateWords? { get }

  /// Called once before the first turn. Timers are made here, lines are observed from here on.
  func start(on device: Device)

  /// Writes the value of one of its entities; false: it has none now, and nothing is said.
  /// Called when `device.changed(self, entity)` was, and after each connection to the broker.
  func write(_ entity: Int, to text: inout FixedText) -> Bool

  /// Obeys what came on an entity's `set`, or says why not. The answer goes to `…/<name>/result`.
  func obey(_ command: Command) -> CommandAnswer

  /// Somebody asks for everything now: measures what is measured only every so often. States are published anyway.
  func refresh()

  /// The broker accepted the connection: the device is online.
  func brokerConnected()

  /// The connection to the broker is lost, or was never made (called at the start).
  func brokerDisconnected()

  /// Ends what the module does; its outputs are at their stop levels, and the process ends soon after.
  func stop()
}

extension Module {
  public var entities: [Entity] { [] }
  public var stateWords: StateWords? { nil }
  public func start(on device: Device) {}
  public func write(_ entity: Int, to text: inout FixedText) -> Bool { false }
  public func obey(_ command: Command) -> CommandAnswer { .rejected("this module takes no commands") }
  public func refresh() {}
  public func brokerConnected() {}
  public func brokerDisconnected() {}
  public func stop() {}
}

/// Something of a device that is no module, such as a line that is set anew when that failed.
public protocol DevicePart: AnyObject {
  /// Called once, before the modules start.
  func start(on device: Device)
}

/// What somebody wants of a module.
public struct Command: Sendable {
  /// Which of the module's entities: its place in `entities`.
  public var entity = 0
  public var payload: FixedText
  /// The broker delivers it again because it does not know whether it arrived: it may have been obeyed
  /// already. A wish for a state can be obeyed twice, one for a change cannot.
  public var mayBeRepeated: Bool
  public var source: CommandSource

  public init(_ payload: FixedText, mayBeRepeated: Bool = false, source: CommandSource = .broker) {
    self.payload = payload
    self.mayBeRepeated = mayBeRepeated
    self.source = source
  }
}

/// What became of a command.
public enum CommandAnswer: Sendable {
  case accepted
  case rejected(FixedText)
  /// The output's bus takes its time: its gate answers when it is known what became of the command.
  case later
}

/// Where a device's log lines go.
public protocol Log: AnyObject {
  /// What is less urgent is not wanted.
  var level: LogLevel { get }

  func write(_ level: LogLevel, _ text: FixedText)
}

/// How urgent a log line is.
public enum LogLevel: UInt8, Sendable {
  case debug
  case info
  case warning
  case error

  /// In the order of urgency.
  public static var words: [String] { ["debug", "info", "warning", "error"] }
}
