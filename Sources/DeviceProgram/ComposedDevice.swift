import Boards
import CLinux
import DeviceFile
import DeviceRuntime
import HAL
import LinuxPlatform
import MQTTClient
import MQTTConnection

/// A device that is put together in Swift: what a device file would say, without the file, and without the code that
/// reads one.
///
///     let wiring = Wiring()
///     let fan = Relay(name: "fan", gate: wiring.gate("fan", chip: "pinctrl-bcm2711", line: "GPIO5"))
///     Program.run(ComposedDevice("den", wiring, [fan], broker: Endpoint(host: "broker.local", port: 1883)))
public struct ComposedDevice {
  /// The second level of its topics, `swiftlet/den/…`; also in its client id.
  public var name: String
  /// The first level or levels.
  public var root = "swiftlet"
  public var modules: [any Module]
  public var wiring: Wiring
  public var hardware: HardwareSource
  /// In the order in which they are tried; at least one.
  public var servers: [MQTTServer]
  /// Beside plain TCP and local sockets.
  public var transports: [MQTTTransport] = []
  public var username: String?
  public var password: String?
  /// What is less urgent is not logged, until SIGUSR1 or SIGUSR2 changes that.
  public var log = LogLevel.info

  public init(
    _ name: String, _ wiring: Wiring, _ modules: [any Module], broker: Endpoint,
    hardware: HardwareSource = .linux
  ) {
    self.name = name
    self.wiring = wiring
    self.modules = modules
    self.hardware = hardware
    servers = [MQTTServer(endpoint: broker)]
  }

  /// Opens what is wired and makes the device; or says what stands in the way of it.
  public func device(
    _ hardware: Hardware, clock: any MonotonicClock, log: any Log, randomSeed: UInt64
  ) -> Result<Device, ComposedDeviceError> {
    let problems = hardware.open(wiring.claims)
    guard problems.isEmpty else { return .failure(.hardware(problems)) }
    let topics = Topics(root: root, device: name)
    var options = Device.options(topics: topics, clientID: "swiftlet-" + name, randomSeed: randomSeed)
    options.username = username
    options.password = password.map { $0.bytes }
    do throws(MQTTOptionsError) {
      let client = try MQTTClient(options)
      return .success(
        Device(
          topics: topics, modules: wiring.claims.outputsFirst(modules), client: client, clock: clock, log: log
        ))
    } catch {
      return .failure(.options)
    }
  }
}

/// What stands in the way of a device that is put together in Swift.
public enum ComposedDeviceError: Error {
  case hardware([HardwareError])
  /// The broker cannot be given this client id, user name or topic.
  case options
}

extension Program {
  /// Runs the device until it is stopped (SIGTERM, SIGINT), and ends the process. It has no command line.
  public static func run(_ composed: ComposedDevice) -> Never {
    do throws(SystemError) {
      exit(try run(composed, EventLoop()))
    } catch {
      exit(complain(composed.name, "\(error.message)", EX_OSERR))
    }
  }

  private static func run(_ composed: ComposedDevice, _ loop: EventLoop) throws(SystemError) -> Int32 {
    // Signals first: threads inherit what is blocked.
    let signals = try Signals(loop: loop)
    let log = StandardErrorLog(level: composed.log)
    let hardware = composed.hardware.make(loop)
    switch composed.device(hardware, clock: loop, log: log, randomSeed: randomSeed(loop)) {
    case .success(let device):
      let connection = MQTTConnection(
        client: device.client, servers: composed.servers, transports: composed.transports, loop: loop,
        owner: BrokerLog(client: device.client, log: log))
      for part in hardware.parts() { device.add(part) }
      signals.received = { if !log.hear($0) { device.stop() } }
      device.start()
      try loop.run(Runtime(device: device, connection: connection, outbox: nil))
      return 0
    case .failure(.hardware(let problems)):
      for problem in problems { _ = complain(composed.name, problem.text, EX_UNAVAILABLE) }
      return EX_UNAVAILABLE
    case .failure(.options):
      return complain(composed.name, invalidOptions, EX_CONFIG)
    }
  }
}
