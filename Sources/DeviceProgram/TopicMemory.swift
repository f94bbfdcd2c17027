import CLinux
import Configuration
import DeviceFile
import DeviceRuntime
import HAL
import LinuxPlatform

/// Where a device remembers on which topics the broker keeps something of it, so that what it has no longer, or calls
/// otherwise now, can be cleared.
public struct TopicMemorySource {
  /// What the device of that file has no longer.
  let stale: (DeviceConfiguration, _ deviceFile: String) -> [String]
  /// Has that cleared, and remembers what the device has.
  let remember: (DeviceConfiguration, _ deviceFile: String, Device, EventLoop, any Log) -> Void
  /// Clears all; the exit status.
  let forget: (Program, DeviceConfiguration, _ deviceFile: String) -> Int32

  /// A file in the state directory that the service manager gives, beside the outbox, or in /var/lib/swiftlet; there is
  /// one for each device file.
  public static var stateDirectory: TopicMemorySource {
    TopicMemorySource(
      stale: { TopicFile.open($1, $0)?.stale($0.device.retainedTopics) ?? [] },
      remember: { TopicFile.open($1, $0)?.remember($0.device.retainedTopics, $2, $3, $4) },
      forget: { $0.forget($1, TopicFile.open($2, $1)) })
  }
}

/// A line a topic. Its disk is waited for on a thread, which there is once something is to be written.
final class TopicFile: Work {
  private let path: String
  /// As they were when the program started.
  private var topics: [String] = []
  private var log: (any Log)?
  private var thread: WorkerThread?
  private var wanted: [UInt8]
  private var isBusy = false

  // The thread's while `isBusy`.
  private var writing: [UInt8] = []
  private var result: Int32 = 0

  private static let systemDirectory = "/var/lib/swiftlet"

  static func open(_ deviceFile: String, _ configuration: DeviceConfiguration) -> TopicFile? {
    guard let directory = directory(configuration.device.broker.outbox?.path) else { return nil }
    let name = whole(deviceFile).bytes.dropFirst().suffix(200).map { $0 == UInt8(ascii: "/") ? 0x2D : $0 }
    return TopicFile(directory + "/" + String(decoding: name, as: UTF8.self) + ".topics")
  }

  private static func directory(_ outbox: String?) -> String? {
    if let list = linux_environment("STATE_DIRECTORY").map({ String(cString: $0) }), !list.utf8.isEmpty {
      return String(decoding: list.bytes.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
    }
    if let outbox { return String(decoding: Files.directory(of: outbox).bytes.dropLast(), as: UTF8.self) }
    return systemDirectory.withCString { linux_is_directory($0) } != 0 ? systemDirectory : nil
  }

  private static func whole(_ path: String) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4_096) { buffer in
      guard let place = buffer.baseAddress, path.withCString({ linux_real_path($0, place, 4_096) }) > 0 else {
        return "/" + path
      }
      return String(cString: place)
    }
  }

  private init(_ path: String) {
    self.path = path
    wanted = []
    guard case .success(let file) = Files.read(path) else { return }
    wanted = file.bytes
    topics = file.bytes.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Those that a device with these topics has no longer.
  func stale(_ current: [String]) -> [String] {
    topics.filter { topic in !current.contains { $0.equals(topic) } }
  }

  /// False: another process runs the device, and would publish again what is forgotten.
  @discardableResult
  func take() -> Bool { ("swiftlet:" + path).withCString { linux_take_name($0) } != -EADDRINUSE }

  /// What the device has no longer is remembered until the broker has cleared it.
  func remember(_ current: [String], _ device: Device, _ loop: EventLoop, _ log: any Log) {
    take()
    let stale = stale(current)
    keep(current + stale, loop, log)
    if !stale.isEmpty { device.clear(stale) { [self] in keep(current, loop, log) } }
  }

  private func keep(_ topics: [String], _ loop: EventLoop, _ log: any Log) {
    var bytes: [UInt8] = []
    for topic in topics {
      bytes += topic.bytes
      bytes.append(0x0A)
    }
    if bytes.equals(wanted) { return }
    wanted = bytes
    self.log = log
    do throws(SystemError) {
      if thread == nil { thread = try WorkerThread(loop: loop) }
      write()
    } catch {
      complain("\(error.message)")
    }
  }

  private func write() {
    guard !isBusy, let thread else { return }
    writing = wanted
    isBusy = thread.submit(self)
  }

  func perform() {
    result = path.withCString { path in
      writing.withUnsafeBytes { linux_replace_file(path, $0.baseAddress, $0.count) }
    }
  }

  func completed() {
    isBusy = false
    if result < 0 { return complain("\(String(cString: linux_message(-result)))") }
    if !writing.equals(wanted) { write() }
  }

  private func complain(_ what: Message) {
    let line: Message = "\(path): \(what): what is renamed later stays on the broker"
    log?.write(.warning, FixedText(line.text))
  }

  func forget() { _ = path.withCString { linux_remove_file($0) } }
}
