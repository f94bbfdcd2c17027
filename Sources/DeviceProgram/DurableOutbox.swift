import Configuration
import DeviceFile
import DeviceRuntime
import LinuxPlatform
import MQTTClient
import Persistence

/// The outbox on the disk. Its disk is waited for on a thread of its own; a device that has none has neither
/// the thread nor the library.
final class DurableOutbox: Outbox {
  private let file: SQLiteSessionStore
  private let log: any Log
  private let path: String

  /// Nil, and the log says why: without a disk, readings wait in memory. Relays do not wait for a disk.
  static func open(_ outbox: OutboxDescription, _ loop: EventLoop, _ log: any Log) throws(SystemError)
    -> DurableOutbox?
  {
    let thread = try WorkerThread(loop: loop)
    do throws(SessionStoreError) {
      let store = try SQLiteSessionStore(path: outbox.path, capacity: outbox.bytes, queue: thread)
      return DurableOutbox(store, outbox.path, log)
    } catch {
      complain(log, outbox.path, "\(reason(error)); readings are kept in memory only")
      return nil
    }
  }

  private init(_ store: SQLiteSessionStore, _ path: String, _ log: any Log) {
    file = store
    self.path = path
    self.log = log
    if let damage = store.setAside {
      DurableOutbox.complain(log, path, "\(damage); it was moved to \(path).damaged, and a new one begun")
    }
  }

  /// For the client.
  var store: any MQTTSessionStore { file }

  /// A commit is under way.
  var isBusy: Bool { file.isCommitting }

  /// What is not on the disk goes there; not while a commit is under way.
  func close() {
    do throws(MQTTStoreError) {
      try file.close()
    } catch {
      DurableOutbox.complain(log, path, "the last readings could not be kept")
    }
  }

  private static func complain(_ log: any Log, _ path: String, _ what: Message) {
    log.write(.error, FixedText(("outbox \(path): \(what)" as Message).text))
  }

  private static func reason(_ error: SessionStoreError) -> Message {
    switch error.cause {
    case .inUse: "another program has it open"
    case .system(let number): "it is damaged and cannot be moved: \(SystemError(number: number).message)"
    case .full, .noLibrary, .damaged, .foreign, .failed: "\(error.message)"
    }
  }
}

extension OutboxSource {
  /// SQLite, which is loaded when a device file has an outbox.
  public static var sqlite: OutboxSource {
    OutboxSource(
      open: { outbox, loop, log throws(SystemError) in try DurableOutbox.open(outbox, loop, log) },
      trouble: { SQLiteSessionStore.trouble($0.path) })
  }
}
