import DeviceRuntime
import HAL
import MQTTClient
import Simulation
import Units

extension DeviceBench {
  /// A bench for these modules, as the device `home/den`.
  public static func make(
    _ modules: [any Module], clock: VirtualClock = VirtualClock(),
    queue: SimulatedWorkQueue = SimulatedWorkQueue(), log: RecordingLog = RecordingLog(),
    topics: Topics = Topics(root: "home", device: "den"), wallClock: (any WallClock)? = nil,
    adjust: (inout MQTTClientOptions) -> Void = { _ in }
  ) throws -> DeviceBench {
    var options = Device.options(topics: topics, clientID: "den", randomSeed: 7)
    adjust(&options)
    let device = Device(
      topics: topics, modules: modules, client: try MQTTClient(options), clock: clock, log: log,
      wallClock: wallClock)
    return DeviceBench(clock: clock, queue: queue, device: device)
  }
}

/// A module that does what a test tells it, and remembers what was asked of it.
public final class ProbeModule: Module {
  public let name: String
  public let entities: [Entity]
  /// Nil: it has no state.
  public var state: String?
  public var answer = CommandAnswer.accepted
  /// What happened to it, in order.
  public private(set) var calls: [String] = []
  public private(set) var device: Device?

  public init(
    _ name: String, state: String? = nil,
    entities: [Entity] = [
      Entity(.switch, access: [.state, .command]),
      Entity(.measurement, "temperature", access: .reading, quantity: .temperature),
    ]
  ) {
    self.name = name
    self.entities = entities
    self.state = state
  }

  public func start(on device: Device) {
    self.device = device
    calls.append("start")
  }

  public func write(_ entity: Int, to text: inout FixedText) -> Bool {
    guard let state else { return false }
    text.append(state)
    return true
  }

  public func obey(_ command: Command) -> CommandAnswer {
    calls.append("obey \(command.payload.string)\(command.mayBeRepeated ? " again" : "")")
    return answer
  }

  public func brokerConnected() { calls.append("connected") }
  public func brokerDisconnected() { calls.append("disconnected") }
  public func stop() { calls.append("stop") }

  /// The state changes, and the device is told.
  public func change(to state: String) {
    self.state = state
    device?.changed(self)
  }
}
