/// What a device file says: a device, its broker and its modules.
public struct DeviceDescription: Sendable {
  public var mark: Mark
  public var name: String
  /// The first level or levels of every topic.
  public var root: String
  public var board: BoardReference
  public var broker: BrokerDescription
  public var modules: [ModuleDescription]

  /// `root/device`; topics go on with `/module/…`.
  public var topicPrefix: String { root + "/" + name }
}

/// The board that a device file or its caller names.
public struct BoardReference: Sendable {
  public var mark: Mark
  public var name: String
}

/// The version of MQTT that is spoken.
public enum MQTTVersionDescription: Sendable {
  /// 5.0, and 3.1.1 with a broker that does not speak it.
  case v5
  case v3_1_1
}

/// How to reach the broker and who to be there.
public struct BrokerDescription: Sendable {
  public var mark: Mark
  /// In the order in which they are tried; none only when the file is wrong.
  public var servers: [ServerDescription] = []
  public var tls = TLSDescription()
  /// More lines for the request of a WebSocket.
  public var headers: [String] = []
  public var proxy: ProxyDescription?
  /// How often to see whether the first broker can be reached again while another one serves.
  public var failbackMilliseconds: Int64 = 60_000
  /// The shortest and the longest pause between two attempts to connect.
  public var reconnectMilliseconds: ClosedRange<Int64> = 500...8000
  public var username: String?
  public var password: String?
  public var keepAliveSeconds: UInt16
  public var clientID: String
  public var outbox: OutboxDescription?
  public var authentication = AuthenticationDescription.password
  public var version = MQTTVersionDescription.v5
}

/// One entry of `modules`.
public enum ModuleDescription: Sendable {
  case relay(RelayDescription)
  case button(ButtonDescription)
  case sensor(SensorDescription)

  public var name: String {
    switch self {
    case .relay(let relay): return relay.name
    case .button(let button): return button.name
    case .sensor(let sensor): return sensor.name
    }
  }

  /// Where the module begins.
  public var mark: Mark {
    switch self {
    case .relay(let relay): return relay.mark
    case .button(let button): return button.mark
    case .sensor(let sensor): return sensor.mark
    }
  }

  /// As in the file: `relay`.
  public var kind: String {
    switch self {
    case .relay: return "relay"
    case .button: return "button"
    case .sensor: return "sensor"
    }
  }

  /// `relay 'fan'`
  var title: String { kind + " " + name.quoted }

  var line: LineReference? {
    switch self {
    case .relay(let relay): return relay.line
    case .button(let button): return button.line
    case .sensor: return nil
    }
  }
}

/// A line as a device file names it; `BoardDescription.line(_:)` finds it.
public struct LineReference: Sendable {
  public var mark: Mark
  public var name: String
}

/// A bus as a device file names it; `BoardDescription.bus(_:)` finds it.
public struct BusReference: Sendable {
  public var mark: Mark
  public var name: String
}

/// An output that switches something.
public struct RelayDescription: Sendable {
  public var mark: Mark
  public var name: String
  public var line: LineReference
  /// A low level switches on.
  public var activeLow: Bool
  public var safety: SafetyDescription
}

/// What a relay does when nobody commands it.
public struct SafetyDescription: Sendable {
  /// The state a relay is left in when the runtime stops.
  public enum Stop: Sendable { case on, off, hold }

  public struct BrokerLost: Sendable {
    public var afterMilliseconds: Int64
    /// The state then.
    public var then: Bool
  }

  /// The state the line is requested with.
  public var start = false
  public var stop = Stop.off
  public var brokerLost: BrokerLost?
  /// On for no longer than this.
  public var maxOnMilliseconds: Int64?
}

/// An input that is pressed, opened or closed.
public struct ButtonDescription: Sendable {
  public enum Pull: Sendable { case up, down, none }

  public var mark: Mark
  public var name: String
  public var line: LineReference
  /// A low level means pressed.
  public var activeLow: Bool
  public var pull: Pull
  public var debounceMilliseconds: Int64
}

/// A chip that measures.
public struct SensorDescription: Sendable {
  public var mark: Mark
  public var name: String
  public var driver: DriverDescription
  public var bus: BusReference
  public var address: UInt8
  /// Where the address stands, or the module if it has the usual one.
  public var addressMark: Mark
  public var everyMilliseconds: Int64
  public var keep: KeepDescription
  /// Readings are published with their time, as JSON.
  public var isJSON: Bool
}

/// What a device file has to know of a driver; the composition root lists the drivers it has.
public struct DriverDescription: Sendable {
  /// As in the file: `SHT3x`.
  public var name: String
  /// The addresses that the chip's pins can choose, the usual one first.
  public var addresses: [UInt8]
  /// No measurement takes longer.
  public var shortestPeriodMilliseconds: Int64
  /// The last levels of its topics: `temperature`.
  public var quantities: [String]

  public init(
    name: String, addresses: [UInt8], shortestPeriodMilliseconds: Int64, quantities: [String]
  ) {
    self.name = name
    self.addresses = addresses
    self.shortestPeriodMilliseconds = shortestPeriodMilliseconds
    self.quantities = quantities
  }
}
