import Boards
import Configuration
import DeviceFile
import DeviceRuntime
import Dialects
import HAL
import LinuxPlatform
import MQTTClient
import MQTTConnection

/// What a program has: each part is named here by whoever puts the program together, and what is not named is not in
/// it.
///
///     Program.run(
///       Catalog(
///         name: "greenhouse", modules: [Relay.kind, SensorModule.kind([SensorChip(SHT3x.self)])],
///         hardware: .linux))
public final class Catalog {
  /// What messages, `--help` and the log call the program.
  public var name: String
  /// The kinds that a device file's modules can be.
  public var modules: [ModuleKind]
  public var hardware: HardwareSource
  /// Beside plain TCP and local sockets.
  public var transports: [MQTTTransport]
  public var outbox: OutboxSource?
  public var authentication: AuthenticationSource?
  public var memory: TopicMemorySource?
  public var spellings: SpellingSource?
  public var report: ReportSource?
  public var dialects: DialectSource?

  public init(
    name: String, modules: [ModuleKind], hardware: HardwareSource, transports: [MQTTTransport] = [],
    outbox: OutboxSource? = nil, authentication: AuthenticationSource? = nil,
    memory: TopicMemorySource? = nil, spellings: SpellingSource? = nil, report: ReportSource? = nil,
    dialects: DialectSource? = nil
  ) {
    self.name = name
    self.modules = modules
    self.hardware = hardware
    self.transports = transports
    self.outbox = outbox
    self.authentication = authentication
    self.memory = memory
    self.spellings = spellings
    self.report = report
    self.dialects = dialects
  }

  /// What a device file may say.
  var features: ConfigurationFeatures {
    ConfigurationFeatures(
      kinds: modules, transports: transports, hasOutbox: outbox != nil, hasScram: authentication != nil,
      spellings: spellings?.make(), dialect: dialects?.make())
  }
}

/// Where lines and buses come from.
public struct HardwareSource {
  /// Lines and buses are models: any board's file will do, and nothing real is touched.
  public let isSimulated: Bool
  let make: (EventLoop) -> DeviceHardware

  public init(isSimulated: Bool = false, _ make: @escaping (EventLoop) -> DeviceHardware) {
    self.isSimulated = isSimulated
    self.make = make
  }

  /// The lines and I2C buses of the machine.
  public static var linux: HardwareSource {
    HardwareSource { loop in
      let hardware = linuxLines(loop)
      hardware.i2c = LinuxI2CProvider(loop: loop)
      return hardware
    }
  }

  /// Lines only.
  public static var linuxLines: HardwareSource {
    HardwareSource { linuxLines($0) }
  }

  private static func linuxLines(_ loop: EventLoop) -> DeviceHardware {
    let hardware = DeviceHardware()
    let lines = LinuxLineProvider(loop: loop)
    hardware.lines = lines
    hardware.parts = { lines.queued }
    return hardware
  }
}

/// What a program opens, and what of it the device starts.
public final class DeviceHardware: Hardware {
  /// Asked once all is open.
  public var parts: () -> [any DevicePart] = { [] }
}

/// What people call parts, boards and versions that have another name here: a message says the right one.
public struct SpellingSource {
  let make: () -> Spellings

  public static var usual: SpellingSource { SpellingSource { Spellings.usual } }
}

/// What other programs are told of a device, beside its own topics.
public final class DialectSource {
  let make: () -> any Dialect
  /// Has the device speak it, if its file wants that.
  let speak: (DeviceConfiguration, Device) -> Void

  public init(_ make: @escaping () -> any Dialect) {
    self.make = make
    speak = { configuration, device in
      if let dialect = configuration.device.dialect, dialect.isWanted {
        device.speak(dialect, board: configuration.board.title)
      }
    }
  }

  /// Topics of one's own.
  public static var topicNames: DialectSource { DialectSource { TopicNames() } }

  public static var homeAssistant: DialectSource { DialectSource { HomeAssistant() } }

  public static func all(_ sources: DialectSource...) -> DialectSource {
    DialectSource { DialectList(sources.map { $0.make() }) }
  }
}

/// How users prove who they are without sending their password.
public struct AuthenticationSource {
  let make: (_ user: String, _ password: [UInt8]) -> (any MQTTAuthenticator)?

  public init(_ make: @escaping (_ user: String, _ password: [UInt8]) -> (any MQTTAuthenticator)?) {
    self.make = make
  }
}

/// Where messages wait that are to outlive the process.
public struct OutboxSource {
  let open: (OutboxDescription, EventLoop, any Log) throws(SystemError) -> (any Outbox)?
  /// What would keep it from being opened, as far as it can be seen without trying.
  let trouble: (OutboxDescription) -> (reason: String, isAbsent: Bool)?

  public init(
    open: @escaping (OutboxDescription, EventLoop, any Log) throws(SystemError) -> (any Outbox)?,
    trouble: @escaping (OutboxDescription) -> (reason: String, isAbsent: Bool)? = { _ in nil }
  ) {
    self.open = open
    self.trouble = trouble
  }
}

/// An outbox that is open.
public protocol Outbox: AnyObject {
  /// For the client.
  var store: any MQTTSessionStore { get }
  /// A commit is under way.
  var isBusy: Bool { get }
  /// What is not on the disk goes there; not while a commit is under way.
  func close()
}
