import Boards
import CLinux
import Configuration
import DeviceFile
import DeviceRuntime
import HAL
import LinuxPlatform
import MQTTConnection
import ProductVersion

/// A device's program: command line, device file, hardware, connection, loop. Exit statuses are those of sysexits.h.
public struct Program {
  let catalog: Catalog

  /// Runs the program that the catalog describes with the words of its command line, and ends the process.
  public static func run(_ catalog: Catalog) -> Never {
    exit(Program(catalog: catalog).run(Arguments.commandLine()))
  }

  private func run(_ words: [String]) -> Int32 {
    switch Arguments.parse(words, program: catalog.name) {
    case .wrong(let problem):
      StandardStream.error.write("\(catalog.name): \(problem)\n\n\(Arguments.usage(catalog.name))")
      return EX_USAGE
    case .arguments(let arguments):
      switch arguments.command {
      case .help: return answer(Arguments.usage(catalog.name))
      case .version:
        let status = answer("\(catalog.name) \(Version.text)\n")
        guard arguments.isVerbose else { return status }
        guard let report = catalog.report else { return complain("this program makes no report", EX_USAGE) }
        report.write(catalog)
        return status
      case .check: return check(arguments)
      case .forget:
        guard let configuration = load(arguments) else { return EX_CONFIG }
        guard let memory = catalog.memory else {
          return complain("this program remembers no topics", EX_USAGE)
        }
        return memory.forget(self, configuration, arguments.deviceFile)
      case .run: return run(arguments)
      }
    }
  }

  /// What was asked for, on standard output.
  private func answer(_ text: Message) -> Int32 {
    StandardStream.output.write(text) ? 0 : complain("standard output cannot be written", EX_IOERR)
  }

  private func check(_ arguments: Arguments) -> Int32 {
    guard let configuration = load(arguments), checkFiles(of: configuration.device.broker) else { return 1 }
    let stale = catalog.memory?.stale(configuration, arguments.deviceFile) ?? []
    let details = arguments.isVerbose ? catalog.report?.details(configuration) : nil
    return answer("\(Summary.text(configuration, stale: stale))\(details ?? "")")
  }

  private func run(_ arguments: Arguments) -> Int32 {
    guard let configuration = load(arguments) else { return EX_CONFIG }
    if configuration.board.simulated, !catalog.hardware.isSimulated {
      return complain(
        "board \(configuration.board.name.quoted) has no hardware: swiftletd-simulator runs it", EX_CONFIG)
    }
    do throws(SystemError) {
      let loop = try EventLoop()
      let log = StandardErrorLog(level: arguments.log ?? configuration.device.log)
      return try run(configuration, log, arguments.deviceFile, loop)
    } catch {
      return complain("\(error.message)", EX_OSERR)
    }
  }

  func complain(_ what: Message, _ status: Int32) -> Int32 {
    Program.complain(catalog.name, what, status)
  }

  /// Says what is wrong on standard error, and answers the exit status.
  static func complain(_ program: String, _ what: Message, _ status: Int32) -> Int32 {
    StandardStream.error.write("\(program): \(what)\n")
    return status
  }

  static var invalidOptions: Message { "the broker cannot be given this client id, user name or topic" }

  private func run(
    _ configuration: DeviceConfiguration, _ log: StandardErrorLog, _ deviceFile: String,
    _ loop: EventLoop
  ) throws(SystemError) -> Int32 {
    // Signals first: threads inherit what is blocked.
    let signals = try Signals(loop: loop)
    let hardware = catalog.hardware.make(loop)
    let composition = Composition(
      configuration: configuration, hardware: hardware, clock: loop, log: log,
      // Who simulates does so on a machine whose clock is right.
      wallClock: LinuxWallClock(isTrusted: catalog.hardware.isSimulated),
      authentication: catalog.authentication)
    // Files and libraries come before lines: while a disk is waited for, no relay is on that only the loop switches off.
    let outbox = try openOutbox(configuration, loop, log)
    defer { outbox?.close() }
    guard let device = composition.device(randomSeed: Program.randomSeed(loop), store: outbox?.store) else {
      return complain(Program.invalidOptions, EX_CONFIG)
    }
    catalog.memory?.remember(configuration, deviceFile, device, loop, log)
    catalog.dialects?.speak(configuration, device)
    let connection = connection(configuration, device, loop, log)
    let problems = composition.open()
    for problem in problems { _ = complain(problem.text, EX_UNAVAILABLE) }
    guard problems.isEmpty else { return EX_UNAVAILABLE }
    for part in hardware.parts() { device.add(part) }
    if configuration.device.broker.tls.isInsecure {
      log.write(
        .warning, "tls: insecure is on: whoever sits between here and the broker can switch every relay")
    }
    signals.received = { if !log.hear($0) { device.stop() } }
    device.start()
    try loop.run(Runtime(device: device, connection: connection, outbox: outbox))
    return 0
  }

  func connection(
    _ configuration: DeviceConfiguration, _ device: Device, _ loop: EventLoop, _ log: any Log
  ) -> MQTTConnection {
    let broker = configuration.device.broker
    return MQTTConnection(
      client: device.client, servers: broker.mqttServers, transports: catalog.transports, loop: loop,
      failback: .milliseconds(broker.failbackMilliseconds), owner: BrokerLog(client: device.client, log: log))
  }

  private func openOutbox(_ configuration: DeviceConfiguration, _ loop: EventLoop, _ log: any Log)
    throws(SystemError) -> (any Outbox)?
  {
    guard let outbox = configuration.device.broker.outbox, let source = catalog.outbox else { return nil }
    return try source.open(outbox, loop, log)
  }

  /// The clock stands in where the system has no random numbers yet.
  static func randomSeed(_ loop: EventLoop) -> UInt64 {
    var seed = UInt64(bitPattern: loop.now.nanoseconds)
    _ = linux_random(&seed, MemoryLayout<UInt64>.size)
    return seed
  }

  /// The configuration, or nil after its errors have been printed.
  private func load(_ arguments: Arguments) -> DeviceConfiguration? {
    let path = arguments.deviceFile
    let files = Files(deviceFile: path, boards: arguments.boards)
    switch Files.read(path) {
    case .failure(let error):
      _ = complain(error.text, 0)
      return nil
    case .success(let file):
      do throws(ConfigurationErrors) {
        let configuration = try DeviceConfiguration.load(
          file, features: catalog.features, board: arguments.board, surroundings: files)
        for warning in configuration.warnings { StandardStream.error.write("warning: \(warning.text)\n") }
        return configuration
      } catch {
        StandardStream.error.write("\(error.text)")
        return nil
      }
    }
  }
}
