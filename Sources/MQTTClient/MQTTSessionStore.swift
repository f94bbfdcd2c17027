/// Why a change could not be kept.
public enum MQTTStoreError: Error, Equatable, Sendable {
  /// The store's own limit is reached. Nothing else is affected.
  case full
  /// No room on the disk. The changes since the last commit are forgotten.
  case diskFull
  /// The disk or the system refused. The changes since the last commit are forgotten.
  case failed
}

/// What keeps a session beyond the end of the process: numbered records of bytes. Keys are the client's
/// own; the store gives them no meaning. All calls come from the client's thread.
public protocol MQTTSessionStore: AnyObject {
  /// Keeps or replaces the record of that key. Not durable before `commit`. `limited`: it is a new message, and `.full`
  /// is thrown when the store's limit is reached. What is not limited, a few bytes on how far the session is and a
  /// message that has just been removed under another key, cannot be left out.
  func put(_ key: UInt64, _ value: Span<UInt8>, limited: Bool) throws(MQTTStoreError)

  /// Forgets the record of that key; nothing happens when there is none. Not durable before `commit`.
  func remove(_ key: UInt64) throws(MQTTStoreError)

  /// While a commit was under way, when nothing can be dropped, more was taken than there is room for otherwise:
  /// the client drops what its policy names.
  var isOverLimit: Bool { get }

  /// Makes the changes up to now durable, all or none. True: they survive power loss. False: that is under
  /// way elsewhere; the owner, told by the store's own means, has the client call again until true.
  /// Changes in between belong to the next commit.
  func commit() throws(MQTTStoreError) -> Bool

  /// Gives `body` the record with the lowest key that is at least `key`; false when there is none. Not
  /// while a commit is under way. `body` must not call the store.
  func find(from key: UInt64, _ body: (_ key: UInt64, _ value: Span<UInt8>) -> Void) throws(MQTTStoreError)
    -> Bool
}

extension MQTTSessionStore {
  /// A store that waits for its commits takes nothing meanwhile.
  public var isOverLimit: Bool { false }
}
