import MQTTClient
import Persistence

/// A file in which messages of QoS 1 and 2 and the state of the session outlive the program and the loss of power
/// (docs/durable-outbox.md). One client at a time has it. QoS 2 is exactly once with options that have a `clientID` and
/// `cleanSession` false. Needs Debian's `libsqlite3-0`.
public struct MQTTOutbox: Sendable {
  /// In a directory that exists.
  public var path: String
  /// Bytes of all messages, each with some 40 of book-keeping. When more come, `dropPolicy` of the options decides;
  /// with `.newest`, the default here, calls wait; a message that the empty file has no room for is an error.
  public var capacity: Int

  public init(path: String, capacity: Int = 16 << 20) {
    self.path = path
    self.capacity = capacity
  }

  func open() throws(MQTTAsyncError) -> SQLiteSessionStore {
    do throws(SessionStoreError) {
      return try SQLiteSessionStore(path: path, capacity: capacity)
    } catch {
      throw .outbox("\(path): \(error.words)")
    }
  }
}

extension SessionStoreError {
  fileprivate var words: String {
    switch cause {
    case .inUse: "another program has it open"
    case .full: "the disk is full"
    case .damaged, .system: "it is damaged and cannot be moved: \(message)"
    case .noLibrary, .foreign: message
    case .failed: "\(message); is there such a directory, and may this program write to it?"
    }
  }
}
