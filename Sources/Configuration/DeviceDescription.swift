import Boards
import DeviceFile
import DeviceRuntime
import LinuxPlatform
import MQTTClient

/// What a device file says: a device, its broker and its modules.
public final class DeviceDescription {
  public var mark: Mark
  public var name: String
  /// `root/device`; topics go on with `/module/…`.
  public var topicPrefix: String
  public var board: BoardReference
  /// What the board has besides.
  var ownLines: Field?
  var ownBuses: Field?
  public var broker: BrokerDescription
  /// What is less urgent is not logged.
  public var log = LogLevel.info
  public var modules: [any Module] = []
  public var dialect: (any Dialect)?
  /// What the modules want of the board and the broker.
  public var needs = DeviceNeeds()

  init(mark: Mark, name: String, topicPrefix: String, board: BoardReference, broker: BrokerDescription) {
    self.mark = mark
    self.name = name
    self.topicPrefix = topicPrefix
    self.board = board
    self.broker = broker
  }

  /// On which the broker keeps something of the device.
  public var retainedTopics: [String] {
    topics.retained(of: modules) + (dialect?.retainedTopics ?? [])
  }

  public var topics: Topics { Topics(prefix: topicPrefix, own: dialect?.own) }
}

/// Where a device file names the files of `tls`.
public struct TLSMarks: Sendable {
  public var authority: Mark?
  public var certificate: Mark?
  public var key: Mark?
  public var keyPassword: Mark?
}

/// How to reach the broker and who to be there.
public final class BrokerDescription {
  public var mark: Mark
  /// In the order in which they are tried; none only when the file is wrong.
  public var servers: [ServerDescription] = []
  public var tls = TLSSettings()
  /// Where `tls` names files.
  public var tlsMarks = TLSMarks()
  /// More lines for the request of a WebSocket.
  public var headers: [String] = []
  public var proxy: ProxySettings?
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
  public var version = MQTTVersion.v5

  init(mark: Mark, clientID: String, keepAliveSeconds: UInt16) {
    self.mark = mark
    self.clientID = clientID
    self.keepAliveSeconds = keepAliveSeconds
  }
}
