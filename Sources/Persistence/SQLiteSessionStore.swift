import CSQLite
import HAL
import MQTTClient

/// Keeps a session in an SQLite file: bounded in bytes, durable at `commit`, all or none.
///
/// With a work queue the waiting for the disk is done on the queue's thread: `commit` answers false, and
/// `onCommitted` is called on the loop. Without one `commit` waits.
///
/// A damaged file is no reason not to start: it is moved to `PATH.damaged`, and an empty one takes its
/// place. A file that is something else is an error, and is left as it is. `libsqlite3` is loaded when a store is
/// opened. Bytes written and memory: docs/durable-outbox.md.
public final class SQLiteSessionStore: MQTTSessionStore, Work {
  private let file: OpaquePointer
  private let queue: (any WorkQueue)?
  private var phase = Phase.idle
  private var hasChanges = false
  /// The queue's thread writes it before `completed` is called.
  private var outcome: Int32 = 0
  private var staged = StagedChanges()

  /// The limit of `usedBytes`.
  public let capacity: Int
  /// Bytes of all records, each with `overhead`.
  public private(set) var usedBytes = 0
  /// Why the file that was there could not be used; nil when it could. It is at `PATH.damaged` now.
  public let setAside: String?
  /// Records whose checksum was wrong; they are removed.
  public private(set) var damagedRecords = 0
  /// Called on the loop when a commit on the queue has ended.
  public var onCommitted: (() -> Void)?

  /// What a record takes beside its bytes, about.
  public static let overhead = 32

  private enum Phase {
    case idle
    /// The queue's thread has the file.
    case committing
    /// The commit has ended, and the client is yet to hear how.
    case committed
    /// For good.
    case closed
  }

  /// Opens or makes the file at `path`. `vfs` names another file layer of SQLite's.
  public init(
    path: String, capacity: Int, queue: (any WorkQueue)? = nil, vfs: String? = nil
  ) throws(SessionStoreError) {
    self.capacity = capacity
    self.queue = queue
    switch SQLiteSessionStore.open(path, vfs) {
    case .success(let file):
      self.file = file
      setAside = nil
    case .failure(let error) where error.cause == .damaged:
      let number = path.withCString { csqlite_set_aside($0) }
      guard number == 0 else { throw SessionStoreError(cause: .system(number), message: error.message) }
      file = try SQLiteSessionStore.open(path, vfs).get()
      setAside = error.message
    case .failure(let error): throw error
    }
    recount()
  }

  /// Forgets what was not committed; `close` does not.
  deinit {
    if case .closed = phase { return }
    csqlite_close(file)
  }

  private static func open(_ path: String, _ vfs: String?) -> Result<OpaquePointer, SessionStoreError> {
    var store: OpaquePointer?
    var code: Int32 = 0
    let message = message { text, capacity in
      code = path.withCString { path in
        if let vfs { return vfs.withCString { csqlite_open(path, $0, &store, text, capacity) } }
        return csqlite_open(path, nil, &store, text, capacity)
      }
    }
    if let store { return .success(store) }
    return .failure(SessionStoreError(cause: SessionStoreError.Cause(code), message: message))
  }

  private static func message(_ body: (UnsafeMutablePointer<CChar>?, Int) -> Void) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 400) { text in
      text.initialize(repeating: 0)
      body(text.baseAddress, text.count)
      return text.baseAddress.map { String(cString: $0) } ?? ""
    }
  }

  /// What would keep a file at `path` from being opened or made, as far as it can be seen without trying; with the cure.
  /// `isAbsent`: it may be there on another machine.
  public static func trouble(_ path: String) -> (reason: String, isAbsent: Bool)? {
    var (isFound, isAbsent) = (Int32(0), Int32(0))
    let reason = message { text, capacity in
      isFound = path.withCString { csqlite_trouble($0, text, capacity, &isAbsent) }
    }
    return isFound == 0 ? nil : (reason, isAbsent != 0)
  }

  // MARK: Changes

  public func put(_ key: UInt64, _ value: Span<UInt8>, limited: Bool) throws(MQTTStoreError) {
    let cost = value.count + SQLiteSessionStore.overhead
    if limited, usedBytes + staged.cost + cost > limit { throw .full }
    hasChanges = true
    guard phaseIsIdle else { return staged.put(key, value) }
    try apply(key, value)
  }

  public func remove(_ key: UInt64) throws(MQTTStoreError) {
    hasChanges = true
    guard phaseIsIdle else { return staged.remove(key) }
    try apply(removal: key)
  }

  /// With a queue an eighth of the capacity is for what comes during commits, when nothing can be dropped for it.
  private var limit: Int { queue == nil || !phaseIsIdle ? capacity : capacity - capacity / 8 }

  public var isOverLimit: Bool { usedBytes + staged.cost > limit }

  private var phaseIsIdle: Bool {
    if case .idle = phase { return true }
    return false
  }

  private func apply(_ key: UInt64, _ value: Span<UInt8>) throws(MQTTStoreError) {
    var old: Int64 = -1
    try check(value.withUnsafeBytes { csqlite_put(file, key, $0.baseAddress, $0.count, &old) })
    usedBytes += value.count + SQLiteSessionStore.overhead
    if old >= 0 { usedBytes -= Int(old) + SQLiteSessionStore.overhead }
  }

  private func apply(removal key: UInt64) throws(MQTTStoreError) {
    var old: Int64 = -1
    try check(csqlite_remove(file, key, &old))
    if old >= 0 { usedBytes -= Int(old) + SQLiteSessionStore.overhead }
  }

  /// Whatever goes wrong leaves the file as the last commit made it.
  private func check(_ code: Int32) throws(MQTTStoreError) {
    guard code != Int32(CSQLITE_DONE) else { return }
    csqlite_roll_back(file)
    hasChanges = false
    recount()
    throw code == Int32(CSQLITE_FULL) ? .diskFull : .failed
  }

  private func recount() {
    var records: Int64 = 0
    var bytes: Int64 = 0
    guard csqlite_total(file, &records, &bytes) == Int32(CSQLITE_DONE) else { return }
    usedBytes = Int(bytes) + Int(records) * SQLiteSessionStore.overhead
  }

  public func find(
    from key: UInt64, _ body: (_ key: UInt64, _ value: Span<UInt8>) -> Void
  ) throws(MQTTStoreError) -> Bool {
    guard phaseIsIdle else { throw .failed }
    var found: UInt64 = 0
    var value: UnsafeRawPointer?
    var count = 0
    var code = csqlite_find(file, key, &found, &value, &count)
    while code == Int32(CSQLITE_BAD_RECORD) {
      damagedRecords += 1
      hasChanges = true
      try apply(removal: found)
      code = csqlite_find(file, found, &found, &value, &count)
    }
    if code == Int32(CSQLITE_NONE) { return false }
    try check(code)
    body(found, UnsafeRawBufferPointer(start: value, count: count).assumingMemoryBound(to: UInt8.self).span)
    csqlite_found(file)
    return true
  }

  // MARK: Commits

  public func commit() throws(MQTTStoreError) -> Bool {
    switch phase {
    case .committing: return false
    case .closed: throw .failed
    case .committed:
      phase = .idle
      let failure = applyStaged()
      try check(outcome)
      if let failure { throw failure }
      return true
    case .idle:
      guard hasChanges else { return true }
      hasChanges = false
      guard let queue else {
        try check(csqlite_commit(file))
        return true
      }
      phase = .committing
      queue.submit(self)
      return false
    }
  }

  /// A commit is under way: the file may not be closed, nor the process end.
  public var isCommitting: Bool {
    if case .committing = phase { return true }
    return false
  }

  /// Makes the last changes durable, waiting for that, and gives the file back; not while `isCommitting`. What
  /// comes afterwards is not kept.
  public func close() throws(MQTTStoreError) {
    if case .committed = phase { _ = try commit() }
    guard phaseIsIdle else { return }
    phase = .closed
    defer { csqlite_close(file) }
    try check(csqlite_commit(file))
    hasChanges = false
  }

  /// What came while the thread had the file.
  private func applyStaged() -> MQTTStoreError? {
    // A failed commit has taken what was before it; what was staged would stand alone.
    guard outcome == Int32(CSQLITE_DONE) else {
      staged.removeAll()
      return nil
    }
    do throws(MQTTStoreError) {
      try staged.forEach { (key, value) throws(MQTTStoreError) in
        if let value { try apply(key, value) } else { try apply(removal: key) }
      }
      staged.removeAll()
      return nil
    } catch {
      staged.removeAll()
      return error
    }
  }

  public func perform() {
    outcome = csqlite_commit(file)
  }

  public func completed() {
    phase = .committed
    onCommitted?()
  }
}
