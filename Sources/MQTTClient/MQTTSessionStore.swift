/// Why a session could not be kept.
public enum MQTTStoreError: Error, Equatable, Sendable {
  /// No room is left, in the store's own limits or on the disk.
  case full
  /// The disk or the system refused.
  case failed
}

/// What keeps a session beyond the end of the process: numbered records of bytes. Keys are the client's
/// own; the store gives them no meaning. All calls come from the client's thread.
public protocol MQTTSessionStore: AnyObject {
  /// Keeps or replaces the record of that key. Not durable before `commit`.
  func put(_ key: UInt64, _ value: Span<UInt8>) throws(MQTTStoreError)

  /// Forgets the record of that key; nothing happens when there is none. Not durable before `commit`.
  func remove(_ key: UInt64) throws(MQTTStoreError)

  /// Makes all changes since the last commit durable, all or none: returns when they survive power loss.
  func commit() throws(MQTTStoreError)

  /// Every record kept, keys ascending.
  func forEach(_ body: (_ key: UInt64, _ value: Span<UInt8>) -> Void) throws(MQTTStoreError)
}
