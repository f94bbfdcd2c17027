import Foundation

/// A mosquitto on a free loopback port, for tests of clients that bring their own sockets.
public final class TestBroker: Sendable {
  public let port: UInt16
  private let directory: URL
  private let process: LockedProcess
  /// Ports of listeners that the settings add.
  private let others: [UInt16]

  public var url: String { "mqtt://127.0.0.1:\(port)" }

  public struct Failure: Error {
    public let what: String
  }

  /// `keeps`: sessions outlive `stop`.
  public init(
    settings: String = "allow_anonymous true", keeps: Bool = false, others: [UInt16] = []
  ) throws {
    self.others = others
    port = try Self.freePort()
    directory = FileManager.default.temporaryDirectory.appending(path: "swiftlet-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let keeping = keeps ? "persistence true\npersistence_location \(directory.path)/\n" : ""
    let text = "listener \(port) 127.0.0.1\nuser root\nqueue_qos0_messages false\n\(keeping)\(settings)\n"
    try text.write(to: directory.appending(path: "mosquitto.conf"), atomically: true, encoding: .utf8)
    process = LockedProcess()
    try start()
  }

  deinit {
    process.kill()
    do { try FileManager.default.removeItem(at: directory) } catch {}
  }

  /// Starts it, again after `kill`, on the same port.
  public func start() throws {
    let candidates = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"]
    guard let program = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
      throw Failure(what: "no mosquitto; scripts/setup broker")
    }
    try process.run(program, ["-c", directory.appending(path: "mosquitto.conf").path])
    try wait(for: port)
    for port in others { try wait(for: port) }
  }

  private func wait(for port: UInt16) throws {
    for _ in 0..<9_000 {
      if Self.answers(port) { return }
      usleep(10_000)
    }
    throw Failure(what: "mosquitto does not answer on \(port)")
  }

  public func kill() { process.kill() }
  /// Ends it in order, so that it keeps what it is to keep.
  public func stop() { process.stop() }
  public func pause() { process.signal(SIGSTOP) }
  public func resume() { process.signal(SIGCONT) }

  /// Runs `mosquitto_pub` to its end.
  public func publish(_ arguments: String...) throws {
    let publisher = Process()
    publisher.executableURL = URL(fileURLWithPath: "/usr/bin/mosquitto_pub")
    publisher.arguments = ["-h", "127.0.0.1", "-p", "\(port)"] + arguments
    try publisher.run()
    publisher.waitUntilExit()
    guard publisher.terminationStatus == 0 else { throw Failure(what: "mosquitto_pub failed") }
  }

  /// The same with a message for each number.
  public func publishLines(_ numbers: ClosedRange<Int>, _ arguments: String...) throws {
    let publisher = Process()
    publisher.executableURL = URL(fileURLWithPath: "/usr/bin/mosquitto_pub")
    publisher.arguments = ["-h", "127.0.0.1", "-p", "\(port)", "-l"] + arguments
    let lines = directory.appending(path: "lines")
    try Data(numbers.map { "\($0)\n" }.joined().utf8).write(to: lines)
    publisher.standardInput = try FileHandle(forReadingFrom: lines)
    try publisher.run()
    publisher.waitUntilExit()
    guard publisher.terminationStatus == 0 else { throw Failure(what: "mosquitto_pub failed") }
  }

  /// A port on loopback that no other test is given, in this process or another (Tests/harness/reservation.py), that
  /// nobody listens on, and that the kernel does not give to connections that go out.
  public static func freePort() throws -> UInt16 {
    let range = try String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)
    let first = range.split(whereSeparator: \.isWhitespace).first.flatMap { UInt16($0) } ?? 32_768
    let numbers: Range<UInt16> = first > 12_000 ? 10_000..<first : 10_000..<65_000
    for port in numbers.shuffled() where reserve(port) && isFree(port) { return port }
    throw Failure(what: "no free port")
  }

  /// Takes the port for this process until it ends.
  private static func reserve(_ port: UInt16) -> Bool {
    let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // Abstract: the kernel forgets it with the socket.
    let name = [0] + Array("swiftlet-test-port-\(port)".utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    let isOurs = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(file, $0, length) == 0 }
    }
    if !isOurs { close(file) }
    return isOurs
  }

  private static func isFree(_ port: UInt16) -> Bool {
    let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(file) }
    var address = loopback(port)
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  private static func answers(_ port: UInt16) -> Bool {
    let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(file) }
    var address = loopback(port)
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }
}

/// A process that any thread may start and end.
private final class LockedProcess: @unchecked Sendable {
  private let lock = NSLock()
  private var process: Process?

  func run(_ program: String, _ arguments: [String]) throws {
    lock.lock()
    defer { lock.unlock() }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    // Tasks run on threads that block signals, and a process begins with what its parent blocks.
    var none = sigset_t()
    var before = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
    self.process = process
  }

  func signal(_ number: Int32) {
    lock.lock()
    defer { lock.unlock() }
    if let process, process.isRunning { Foundation.kill(process.processIdentifier, number) }
  }

  func kill() {
    signal(SIGKILL)
    wait()
  }

  func stop() {
    signal(SIGTERM)
    wait()
  }

  private func wait() {
    lock.lock()
    defer { lock.unlock() }
    process?.waitUntilExit()
    process = nil
  }
}
