import Boards
import Configuration
import DeviceFile
import DeviceRuntime
import HAL
import MQTTClient

/// Makes a running device out of its configuration: opens what was claimed, and gives the device its client.
public final class Composition {
  public let configuration: DeviceConfiguration
  public let hardware: Hardware
  public let clock: any MonotonicClock
  public let log: any Log
  public var wallClock: (any WallClock)?
  public var authentication: AuthenticationSource?
  /// No device is wanted but its place at the broker: it has no modules, and an identifier that does not drive one out
  /// that runs.
  public var isForgetting = false

  public init(
    configuration: DeviceConfiguration, hardware: Hardware, clock: any MonotonicClock, log: any Log,
    wallClock: (any WallClock)? = nil, authentication: AuthenticationSource? = nil
  ) {
    self.configuration = configuration
    self.hardware = hardware
    self.clock = clock
    self.log = log
    self.wallClock = wallClock
    self.authentication = authentication
  }

  /// Opens the hardware; everything that stands in the way of it.
  public func open() -> [HardwareError] { hardware.open(configuration.device.needs.claims) }

  /// Nil: the client's options are not valid MQTT, which the configuration should have found. The seed is
  /// different on every device and at every start, so that a fleet does not come back in step.
  public func device(randomSeed: UInt64, store: (any MQTTSessionStore)? = nil) -> Device? {
    let description = configuration.device
    let topics = description.topics
    var options = Device.options(
      topics: topics, clientID: description.broker.clientID + (isForgetting ? "-forget" : ""),
      randomSeed: randomSeed)
    options.keepAlive = description.broker.keepAliveSeconds
    options.backoffMinimum = UInt64(description.broker.reconnectMilliseconds.lowerBound)
    options.backoffMaximum = UInt64(description.broker.reconnectMilliseconds.upperBound)
    options.dropPolicy = description.broker.outbox?.drop ?? .oldest
    options.version = description.broker.version
    if !MQTTVersion.hasV5, options.version == .v5 {
      log.write(.warning, "mqtt: this program was built without 5.0 and speaks 3.1.1")
    }
    let authenticator = authenticate(description.broker, &options)
    let client: MQTTClient
    do {
      client = try MQTTClient(options, store: store, authenticator: authenticator)
    } catch {
      if !MQTTVersion.hasV5, error == .unavailableVersion {
        log.write(.error, "auth: scram-sha-256 needs MQTT 5.0, without which this program was built")
      }
      return nil
    }
    return Device(
      topics: topics,
      modules: isForgetting ? [] : configuration.device.needs.claims.outputsFirst(description.modules),
      client: client,
      clock: clock, log: log, wallClock: wallClock)
  }

  /// User name and password into the options; or, with SCRAM, neither of them, and no falling back to a
  /// version that has no SCRAM.
  private func authenticate(
    _ broker: BrokerDescription, _ options: inout MQTTClientOptions
  ) -> (any MQTTAuthenticator)? {
    let password = broker.password.map { $0.bytes }
    switch broker.authentication {
    case .password:
      options.username = broker.username
      options.password = password
      return nil
    case .scramSHA256:
      options.fallsBack = false
      let scram = authentication?.make(broker.username ?? "", password ?? [])
      if scram == nil {
        log.write(
          .error, "auth: libcrypto.so.3 is not there (sudo apt install openssl): the broker will refuse us")
      }
      return scram
    }
  }
}

extension Claims {
  /// Outputs come first: what they are is said before anything else.
  func outputsFirst(_ modules: [any Module]) -> [any Module] {
    var (first, others): ([any Module], [any Module]) = ([], [])
    for module in modules {
      if outputs.contains(where: { $0.claimant.name.equals(module.name) }) {
        first.append(module)
      } else {
        others.append(module)
      }
    }
    return first + others
  }
}
