import MQTTClient

/// A store that keeps its records in memory and fails when it is told to: what another process finds is
/// what was committed. For fuzzing, too.
final class StoreInMemory: MQTTSessionStore {
  private(set) var records: [UInt64: [UInt8]] = [:]
  private(set) var committed: [UInt64: [UInt8]] = [:]
  private(set) var commits = 0
  /// Room for that many bytes of records.
  var capacity = Int.max
  var failure: MQTTStoreError?
  /// The next call fails, whatever it is.
  var failsOnce: MQTTStoreError?
  /// Only commits fail, as they do where changes are kept in memory until then.
  var failsCommits: MQTTStoreError?
  /// Commits answer false, until `finishCommit`.
  var isSlow = false
  private var underWay: [UInt64: [UInt8]]?

  init(_ records: [UInt64: [UInt8]] = [:]) {
    self.records = records
    committed = records
  }

  func put(_ key: UInt64, _ value: Span<UInt8>, limited: Bool) throws(MQTTStoreError) {
    try check()
    let others = records.filter { $0.key != key }.values.reduce(0) { $0 + $1.count }
    if limited, others + value.count > capacity { throw .full }
    records[key] = value.indices.map { value[$0] }
  }

  func remove(_ key: UInt64) throws(MQTTStoreError) {
    try check()
    records[key] = nil
  }

  func commit() throws(MQTTStoreError) -> Bool {
    try check()
    if let failsCommits {
      records = committed
      throw failsCommits
    }
    guard !isSlow else {
      underWay = underWay ?? records
      return false
    }
    committed = underWay ?? records
    underWay = nil
    commits += 1
    return true
  }

  func find(
    from key: UInt64, _ body: (_ key: UInt64, _ value: Span<UInt8>) -> Void
  ) throws(MQTTStoreError) -> Bool {
    try checkOnce()
    guard let found = records.keys.filter({ $0 >= key }).min(), let value = records[found] else {
      return false
    }
    body(found, value.span)
    return true
  }

  private func checkOnce() throws(MQTTStoreError) {
    guard let error = failsOnce else { return }
    failsOnce = nil
    underWay = nil
    records = committed
    throw error
  }

  private func check() throws(MQTTStoreError) {
    try checkOnce()
    guard let failure else { return }
    records = committed
    throw failure
  }
}
