import Configuration
import DeviceRuntime
import HAL
import MQTTAuthentication
import MQTTClient
import Modules

/// Makes a running device out of its configuration: the one place where drivers meet the platform.
struct Composition {
  let configuration: DeviceConfiguration
  let hardware: any Hardware
  let clock: any MonotonicClock
  let log: any Log
  var wallClock: (any WallClock)?

  /// All modules, or everything that stands in the way of them. Outputs come first: they get their start
  /// levels before anything else takes time.
  func modules() -> ([any Module], problems: [HardwareError]) {
    var modules: [any Module] = []
    var problems: [HardwareError] = []
    let described = configuration.device.modules
    let outputsFirst = described.filter { $0.isOutput } + described.filter { !$0.isOutput }
    for description in outputsFirst {
      do throws(HardwareError) {
        if let module = try module(description) { modules.append(module) }
      } catch {
        problems.append(error)
      }
    }
    return (modules, problems)
  }

  /// Nil: the client's options are not valid MQTT, which the configuration should have found. The seed is
  /// different on every device and at every start, so that a fleet does not come back in step.
  func device(
    _ modules: [any Module], randomSeed: UInt64, store: (any MQTTSessionStore)? = nil
  ) -> Device? {
    let description = configuration.device
    let topics = Topics(root: description.root, device: description.name)
    var options = Device.options(
      topics: topics, clientID: description.broker.clientID, randomSeed: randomSeed)
    options.keepAlive = description.broker.keepAliveSeconds
    options.backoffMinimum = UInt64(description.broker.reconnectMilliseconds.lowerBound)
    options.backoffMaximum = UInt64(description.broker.reconnectMilliseconds.upperBound)
    options.dropPolicy = description.broker.outbox?.dropPolicy ?? .oldest
    options.version = description.broker.version == .v5 ? .v5 : .v3_1_1
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
      topics: topics, modules: modules, client: client, clock: clock, log: log, wallClock: wallClock)
  }

  /// User name and password into the options; or, with SCRAM, neither of them, and no falling back to a
  /// version that has no SCRAM.
  private func authenticate(
    _ broker: BrokerDescription, _ options: inout MQTTClientOptions
  ) -> (any MQTTAuthenticator)? {
    let password = broker.password.map { Array($0.utf8) }
    switch broker.authentication {
    case .password:
      options.username = broker.username
      options.password = password
      return nil
    case .scramSHA256:
      options.fallsBack = false
      let scram = ScramSHA256(user: broker.username ?? "", password: password ?? [])
      if scram == nil {
        log.write(
          .error, "auth: libcrypto.so.3 is not there (sudo apt install openssl): the broker will refuse us")
      }
      return scram
    }
  }

  /// The board has every line and bus the device names: the configuration has checked that.
  private func module(_ description: ModuleDescription) throws(HardwareError) -> (any Module)? {
    let board = configuration.board
    switch description {
    case .relay(let relay):
      guard let line = board.line(relay.line) else { return nil }
      let gate = SafetyGate(line: try hardware.output(line, for: relay), policy: relay.safety.policy)
      return Relay(name: relay.name, gate: gate)
    case .button(let button):
      guard let line = board.line(button.line) else { return nil }
      return Button(name: button.name, line: try hardware.input(line, for: button))
    case .sensor(let sensor):
      guard let bus = board.bus(sensor.bus), let driver = DriverCatalog.named(sensor.driver.name) else {
        return nil
      }
      let device = hardware.device(bus, for: sensor, driver: driver)
      return SensorModule(
        name: sensor.name, probe: driver.probe(device, queue: try hardware.queue(bus)),
        at: SensorPlace(bus: bus.device, address: sensor.address, enableHint: bus.enableHint),
        every: .milliseconds(sensor.everyMilliseconds), keeping: sensor.keep.keeping,
        format: sensor.isJSON ? .json : .plain)
    }
  }
}

extension ModuleDescription {
  fileprivate var isOutput: Bool {
    if case .relay = self { return true }
    return false
  }
}

extension SafetyDescription {
  fileprivate var policy: SafetyPolicy {
    var policy = SafetyPolicy(start: start)
    switch stop {
    case .on: policy.stop = true
    case .off: policy.stop = false
    case .hold: policy.stop = nil
    }
    policy.brokerLost = brokerLost.map {
      SafetyPolicy.Lost(after: .milliseconds($0.afterMilliseconds), then: $0.then)
    }
    policy.maxOn = maxOnMilliseconds.map { .milliseconds($0) }
    return policy
  }
}

extension OutboxDescription {
  fileprivate var dropPolicy: MQTTDropPolicy {
    switch drop {
    case .oldest: .oldest
    case .newest: .newest
    case .priority: .lowestPriority
    }
  }
}

extension KeepDescription {
  fileprivate var keeping: Keeping {
    switch (place, priority) {
    case (.none, _): .nothing
    case (.memory, _): .memory
    case (.disk, .high): .disk(.high)
    case (.disk, .normal): .disk(.normal)
    case (.disk, .low): .disk(.low)
    }
  }
}
