import DeviceFile
import HAL

/// Who wants something of the board: one entry of the device file.
public final class Claimant: Sendable {
  /// Where it begins.
  public let mark: Mark
  /// As in the file: `relay`.
  public let kind: String
  public let name: String

  public init(mark: Mark, kind: String, name: String) {
    self.mark = mark
    self.kind = kind
    self.name = name
  }

  /// `a` sensor, `an` expander
  var article: String {
    guard let first = kind.bytes.first, "aeiou".bytes.contains(first) else { return "a" }
    return "an"
  }

  /// `relay 'fan'`
  public var title: String {
    @inline(never) get { ("\(kind) \(name.quoted)" as Message).text }
  }
}

/// A line that a module wants for itself. Made while the device file is read, found on the board by `BoardCheck`,
/// opened once before the first turn.
public class LineClaim {
  public let claimant: Claimant
  /// As the file calls it, and where.
  public let name: String
  public let mark: Mark
  /// A low level means active.
  public let activeLow: Bool
  /// What `check` says of it besides: `, off at start`.
  public var note: Message = ""
  /// Where it is; nil while nobody has looked, and when the board has no such line.
  public internal(set) var line: LineDescription?
  /// Or the pin of an expander.
  public internal(set) var pin: Pin?

  public struct Pin {
    public let expander: ExpanderClaim
    public let number: Int
  }

  init(_ claimant: Claimant, name: String, mark: Mark, activeLow: Bool) {
    self.claimant = claimant
    self.name = name
    self.mark = mark
    self.activeLow = activeLow
  }
}

/// A line that is driven. It has its start level from the moment it is opened, and is the HAL's handle from then on.
public final class OutputClaim: LineClaim, OutputLine {
  public let startsActive: Bool
  private var handle: (any OutputLine)?

  public init(_ claimant: Claimant, name: String, mark: Mark, activeLow: Bool, startsActive: Bool) {
    self.startsActive = startsActive
    super.init(claimant, name: name, mark: mark, activeLow: activeLow)
  }

  /// The line has been requested with its start level.
  public func opened(_ line: any OutputLine) { handle = line }

  public var level: OutputLevel { handle?.level ?? .unknown }

  public var observer: (any OutputLineObserver)? {
    get { handle?.observer }
    set { handle?.observer = newValue }
  }

  public func set(active: Bool) throws(LineError) {
    guard let handle else { throw .noSuchLine }
    try handle.set(active: active)
  }
}

/// How an input line is held while nobody drives it.
public enum LinePull: Sendable { case up, down, unpulled }

/// A line that is read; the HAL's handle once it is open.
public final class InputClaim: LineClaim, InputLine {
  public let pull: LinePull
  public let debounce: Duration
  private var handle: (any InputLine)?

  public init(
    _ claimant: Claimant, name: String, mark: Mark, activeLow: Bool, pull: LinePull, debounce: Duration
  ) {
    self.pull = pull
    self.debounce = debounce
    super.init(claimant, name: name, mark: mark, activeLow: activeLow)
  }

  public func opened(_ line: any InputLine) { handle = line }

  public var observer: (any InputLineObserver)? {
    get { handle?.observer }
    set { handle?.observer = newValue }
  }

  public func isActive() throws(LineError) -> Bool {
    guard let handle else { throw .noSuchLine }
    return try handle.isActive()
  }
}

/// One address of an I2C bus that a module wants for itself; once it is open, the target and its bus's queue.
public final class TargetClaim: I2CDevice, WorkQueue {
  public let claimant: Claimant
  /// What is there, as a driver calls it: a simulator puts a model of it on its bus.
  public let chip: String
  public let busName: String
  public let busMark: Mark
  /// Nil: what the file says is no address, and has been reported.
  public let address: UInt8?
  /// Where the address stands, or the module if it has the usual one.
  public let addressMark: Mark
  /// What `check` says of it besides: `, every 10s`.
  public var note: Message = ""
  public internal(set) var bus: BusDescription?
  private var device: (any I2CDevice)?
  private var queue: (any WorkQueue)?

  public init(
    _ claimant: Claimant, chip: String, bus: String, at busMark: Mark, address: UInt8?, addressMark: Mark
  ) {
    self.claimant = claimant
    self.chip = chip
    busName = bus
    self.busMark = busMark
    self.address = address
    self.addressMark = addressMark
  }

  public func opened(_ device: any I2CDevice, queue: any WorkQueue) {
    self.device = device
    self.queue = queue
  }

  public func write(_ bytes: Span<UInt8>) throws(BusError) {
    guard let device else { throw .noController }
    try device.write(bytes)
  }

  public func read(into bytes: inout MutableSpan<UInt8>) throws(BusError) {
    guard let device else { throw .noController }
    try device.read(into: &bytes)
  }

  public func write(_ bytes: Span<UInt8>, thenReadInto answer: inout MutableSpan<UInt8>) throws(BusError) {
    guard let device else { throw .noController }
    try device.write(bytes, thenReadInto: &answer)
  }

  @discardableResult
  public func submit(_ work: any Work, urgent: Bool) -> Bool { queue?.submit(work, urgent: urgent) ?? false }
}

/// Everything that a device wants of its board, in the order of its file.
public final class Claims {
  public private(set) var lines: [LineClaim] = []
  public private(set) var outputs: [OutputClaim] = []
  public private(set) var inputs: [InputClaim] = []
  public private(set) var targets: [TargetClaim] = []
  public private(set) var expanders: [ExpanderClaim] = []

  public init() {}

  /// Whether somebody wants the line.
  func contain(_ line: LineDescription) -> Bool { lines.contains { $0.line === line } }

  public func add(_ output: OutputClaim) {
    lines.append(output)
    outputs.append(output)
  }

  public func add(_ input: InputClaim) {
    lines.append(input)
    inputs.append(input)
  }

  public func add(_ target: TargetClaim) { targets.append(target) }

  public func add(_ expander: ExpanderClaim) { expanders.append(expander) }
}
