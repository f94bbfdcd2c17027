import CLinux
import Configuration
import DeviceRuntime
import HAL
import LinuxPlatform
import MQTTConnection

/// The device's program. Exit statuses are those of sysexits.h.
@main
enum Main {
  static let version = "0.1.0"

  static func main() {
    switch Arguments.parse(Arguments.commandLine()) {
    case .wrong(let problem):
      StandardStream.error.write("swiftletd: \(problem)\n\n\(Arguments.usage)")
      exit(EX_USAGE)
    case .arguments(let arguments):
      switch arguments.command {
      case .help: StandardStream.output.write("\(Arguments.usage)")
      case .version: StandardStream.output.write("swiftletd \(version)\n")
      case .check: exit(check(arguments))
      case .run: exit(run(arguments))
      }
    }
  }

  private static func check(_ arguments: Arguments) -> Int32 {
    guard let configuration = load(arguments) else { return 1 }
    StandardStream.output.write("\(Summary.text(configuration))")
    return 0
  }

  private static func run(_ arguments: Arguments) -> Int32 {
    guard let configuration = load(arguments) else { return EX_CONFIG }
    do throws(SystemError) {
      let loop = try EventLoop()
      return try run(configuration, loop)
    } catch {
      StandardStream.error.write("swiftletd: \(error.message)\n")
      return EX_OSERR
    }
  }

  private static func run(_ configuration: DeviceConfiguration, _ loop: EventLoop) throws(SystemError)
    -> Int32
  {
    // Signals first: threads inherit what is blocked.
    let signals = try Signals(loop: loop)
    let log = StandardErrorLog()
    let composition = Composition(
      configuration: configuration, hardware: hardware(configuration.board, loop), clock: loop, log: log,
      wallClock: LinuxWallClock())
    let (modules, problems) = composition.modules()
    if !problems.isEmpty {
      for problem in problems { StandardStream.error.write("swiftletd: \(problem.text)\n") }
      return EX_UNAVAILABLE
    }
    let outbox = try DurableOutbox.open(configuration.device.broker.outbox, loop, log)
    guard let device = composition.device(modules, randomSeed: randomSeed(loop), store: outbox?.store) else {
      StandardStream.error.write("swiftletd: the broker cannot be given this client id, user name or topic\n")
      return EX_CONFIG
    }
    let broker = configuration.device.broker
    let connection = MQTTConnection(
      client: device.client, servers: broker.mqttServers, loop: loop,
      failback: .milliseconds(broker.failbackMilliseconds), owner: BrokerLog(client: device.client, log: log))
    if broker.tls.isInsecure {
      log.write(
        .warning, "tls: insecure is on: whoever sits between here and the broker can switch every relay")
    }
    signals.received = { device.stop() }
    device.start()
    try loop.run(Runtime(device: device, connection: connection, outbox: outbox))
    outbox?.close()
    return 0
  }

  private static func hardware(_ board: BoardDescription, _ loop: EventLoop) -> any Hardware {
    guard board.simulated else { return LinuxHardware(loop: loop) }
    let threads = BusThreads(loop: loop)
    return SimulatedHardware(clock: loop) { bus throws(HardwareError) in try threads.queue(bus) }
  }

  /// The clock stands in where the system has no random numbers yet.
  private static func randomSeed(_ loop: EventLoop) -> UInt64 {
    var seed = UInt64(bitPattern: loop.now.nanoseconds)
    _ = linux_random(&seed, MemoryLayout<UInt64>.size)
    return seed
  }

  /// The configuration, or nil after its errors have been printed.
  private static func load(_ arguments: Arguments) -> DeviceConfiguration? {
    let path = arguments.config ?? "/boot/firmware/swiftlet/device.yaml"
    let files = Files(deviceFile: path, boards: arguments.boards)
    switch Files.read(path) {
    case .failure(let error):
      StandardStream.error.write("swiftletd: \(error.text)\n")
      return nil
    case .success(let file):
      do throws(ConfigurationErrors) {
        let configuration = try DeviceConfiguration.load(
          file, drivers: DriverCatalog.descriptions, board: arguments.board, surroundings: files)
        for warning in configuration.warnings { StandardStream.error.write("warning: \(warning.text)\n") }
        return configuration
      } catch {
        StandardStream.error.write("\(error.text)")
        return nil
      }
    }
  }
}
