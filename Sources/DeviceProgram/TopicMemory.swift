import CLinux
import DeviceFile
import DeviceRuntime
import HAL
import LinuxPlatform

/// Where a device remembers on which topics the broker keeps something of it, so that what it has no longer, or calls
/// otherwise now, can be cleared.
public struct TopicMemorySource {
  let open: (_ deviceFile: String, _ outbox: String?) -> (any TopicMemory)?

  /// A file in the state directory that the service manager gives, beside the outbox, or in /var/lib/swiftlet; there is
  /// one for each device file.
  public static var stateDirectory: TopicMemorySource {
    TopicMemorySource { TopicFile.open($0, outbox: $1) }
  }
}

/// The topics that a device is known to have had.
public protocol TopicMemory: AnyObject {
  var path: String { get }
  /// As they were when the program started.
  var topics: [String] { get }
  /// Keeps them from now on; the disk is waited for elsewhere.
  func keep(_ topics: [String], _ loop: EventLoop, _ log: any Log)
  func forget()
}

/// A line a topic. Its disk is waited for on a thread, which there is once something is to be written.
final class TopicFile: TopicMemory, Work {
  let path: String
  private(set) var topics: [String] = []
  private var log: (any Log)?
  private var thread: WorkerThread?
  private var wanted: [UInt8]
  private var isBusy = false

  // The thread's while `isBusy`.
  private var writing: [UInt8] = []
  private var result: Int32 = 0

  private static let systemDirectory = "/var/lib/swiftlet"

  static func open(_ deviceFile: String, outbox: String?) -> TopicFile? {
    guard let directory = directory(outbox) else { return nil }
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

  func keep(_ topics: [String], _ loop: EventLoop, _ log: any Log) {
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

extension TopicMemory {
  /// Those that a device with these topics has no longer.
  func stale(_ current: [String]) -> [String] {
    topics.filter { topic in !current.contains { $0.equals(topic) } }
  }
}
