import Boards
import DeviceFile
import DeviceRuntime
import MQTTConnection

/// What the program that reads a device file has: the rest is an error there.
public final class ConfigurationFeatures {
  public var kinds: [ModuleKind]
  public var transports: [MQTTTransport]
  public var hasOutbox: Bool
  public var hasScram: Bool
  public var spellings: Spellings?
  /// What other programs are told of the device.
  public var dialect: (any Dialect)?

  public init(
    kinds: [ModuleKind], transports: [MQTTTransport], hasOutbox: Bool, hasScram: Bool,
    spellings: Spellings? = nil, dialect: (any Dialect)? = nil
  ) {
    self.dialect = dialect
    self.spellings = spellings
    self.kinds = kinds
    self.transports = transports
    self.hasOutbox = hasOutbox
    self.hasScram = hasScram
  }
}

/// A device file that is right, the board it runs on, and what is worth a warning.
public final class DeviceConfiguration {
  public var device: DeviceDescription
  public var board: BoardDescription
  public var warnings: [ConfigurationError]

  private init(device: DeviceDescription, board: BoardDescription, warnings: [ConfigurationError]) {
    self.device = device
    self.board = board
    self.warnings = warnings
  }

  /// Reads a device file and everything it refers to, and checks it without touching hardware.
  ///
  /// `board` stands in for the board that the file names; the variable `SWIFTLET_MQTT` for its broker URL.
  public static func load(
    _ file: SourceFile, features: ConfigurationFeatures, board: String? = nil,
    surroundings: any ConfigurationSurroundings
  ) throws(ConfigurationErrors) -> DeviceConfiguration {
    let problems = Problems()
    problems.spellings = features.spellings
    guard let root = YAMLReader.read(file, problems) else {
      throw ConfigurationErrors(list: problems.inOrder)
    }
    var substitution = Substitution(problems, surroundings)
    substitution.apply(to: root)
    let reader = DeviceReader(problems: problems, features: features, surroundings: surroundings)
    let device = reader.read(root, board: board)
    let found = BoardFinder(problems: problems, surroundings: surroundings).find(device.board)
    found?.add(lines: device.ownLines, buses: device.ownBuses, problems, surroundings)
    let warnings = Problems()
    BoardCheck(device.needs.claims, on: found, problems, warnings: warnings).run()
    device.warnOfLostTimes(warnings)
    device.broker.warnOfPorts(warnings)
    guard let found, problems.isEmpty else { throw ConfigurationErrors(list: problems.inOrder) }
    return DeviceConfiguration(device: device, board: found, warnings: warnings.inOrder)
  }
}
