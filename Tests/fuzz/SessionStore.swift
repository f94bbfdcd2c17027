// What a session keeps on a disk that is slow, fails, or has damaged records.
import MQTTClient

final class Disk: MQTTSessionStore {
  private var records: [UInt64: [UInt8]]
  /// What another process would find.
  private(set) var committed: [UInt64: [UInt8]]
  private let capacity: Int
  /// Commits take until somebody says otherwise.
  var isSlow = false
  private var underWay: [UInt64: [UInt8]]?
  private var failure: MQTTStoreError?

  init(_ records: [UInt64: [UInt8]] = [:], capacity: Int) {
    self.records = records
    committed = records
    self.capacity = capacity
  }

  func fail(_ error: MQTTStoreError) { failure = error }

  /// A process that begins now finds one of the records with another byte in it.
  func damage(_ choice: UInt8, _ byte: UInt8) {
    let keys = committed.keys.filter { committed[$0]?.isEmpty == false }.sorted()
    guard !keys.isEmpty else { return }
    let key = keys[Int(choice) % keys.count]
    let position = Int(choice) % (committed[key]?.count ?? 1)
    committed[key]?[position] = byte
  }

  func put(_ key: UInt64, _ value: Span<UInt8>, limited: Bool) throws(MQTTStoreError) {
    try check()
    let used = records.values.reduce(0) { $0 + $1.count }
    if limited, used + value.count > capacity { throw .full }
    records[key] = value.indices.map { value[$0] }
  }

  func remove(_ key: UInt64) throws(MQTTStoreError) {
    try check()
    records[key] = nil
  }

  func commit() throws(MQTTStoreError) -> Bool {
    try check()
    guard !isSlow else {
      underWay = underWay ?? records
      return false
    }
    committed = underWay ?? records
    underWay = nil
    return true
  }

  func find(
    from key: UInt64, _ body: (_ key: UInt64, _ value: Span<UInt8>) -> Void
  ) throws(MQTTStoreError) -> Bool {
    try check()
    guard let found = records.keys.filter({ $0 >= key }).min(), let value = records[found] else {
      return false
    }
    body(found, value.span)
    return true
  }

  /// Fails once, and forgets what was not committed.
  private func check() throws(MQTTStoreError) {
    guard let failure else { return }
    self.failure = nil
    underWay = nil
    records = committed
    throw failure
  }
}
