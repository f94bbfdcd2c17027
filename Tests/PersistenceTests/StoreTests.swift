import MQTTClient
import Persistence
import Simulation
import Testing

@Suite struct StoreTests {
  let directory: Directory

  init() throws { directory = try Directory() }

  private func open(capacity: Int = 1 << 20) throws(SessionStoreError) -> SQLiteSessionStore {
    try SQLiteSessionStore(path: directory.file(), capacity: capacity)
  }

  @Test func whatWasCommittedIsThereForTheNextProcess() throws {
    do {
      let store = try open()
      try store.put(7, "seven")
      try store.put(.max, "last")
      try store.put(0, "")
      try store.put(7, "another seven")
      try store.put(9, "gone")
      try store.remove(9)
      try store.remove(10)
      #expect(try store.commit())
      try store.put(11, "not committed")
    }
    #expect(try open().all() == [0: "", 7: "another seven", .max: "last"])
  }

  @Test func recordsAreFoundByKeyInAscendingOrder() throws {
    let store = try open()
    for key: UInt64 in [5, 1 << 63, 3, 1 << 56] { try store.put(key, "\(key)") }
    var found: [UInt64] = []
    var next: UInt64 = 4
    while try store.find(from: next, { key, _ in found.append(key) }) { next = (found.last ?? 0) + 1 }
    #expect(found == [5, 1 << 56, 1 << 63])
  }

  @Test func aStoreThatIsFullRefusesMessagesAndStillTakesWhatHasToBeSaid() throws {
    let store = try open(capacity: 1000)
    let long = String(repeating: "x", count: 400)
    try store.put(1, long)
    try store.put(2, long)
    #expect(throws: MQTTStoreError.full) { try store.put(3, long) }
    try store.put(4, "short", limited: false)
    try store.remove(1)
    try store.put(3, long)
    #expect(try store.commit())
    #expect(store.usedBytes == 2 * 432 + 5 + 32)
    try store.put(2, "", limited: false)
    #expect(store.usedBytes == 432 + 5 + 2 * 32)
  }

  @Test func theLimitCountsWhatAnEarlierProcessLeft() throws {
    do {
      let store = try open()
      try store.put(1, String(repeating: "x", count: 400))
      #expect(try store.commit())
    }
    let store = try open(capacity: 800)
    #expect(store.usedBytes == 432)
    #expect(throws: MQTTStoreError.full) { try store.put(2, String(repeating: "y", count: 400)) }
  }

  @Test func aCommitOnAQueueIsToldWhenItIsDoneAndLeavesLaterChangesToTheNext() throws {
    let queue = SimulatedWorkQueue()
    let store = try SQLiteSessionStore(path: directory.file(), capacity: 1000, queue: queue)
    var told = 0
    store.onCommitted = { told += 1 }
    try store.put(1, "one")
    #expect(try !store.commit())
    #expect(store.isCommitting)
    try store.put(2, "two")
    try store.remove(1)
    #expect(throws: MQTTStoreError.full) { try store.put(3, String(repeating: "x", count: 950)) }
    #expect(try !store.commit())
    #expect(queue.run())
    #expect(told == 1)
    #expect(try store.commit())
    #expect(try store.all() == [2: "two"])
    #expect(try !store.commit())
    #expect(queue.run())
    #expect(try store.commit())
    #expect(store.usedBytes == 35)
    #expect(!queue.run())
  }

  @Test func anEighthOfTheLimitIsForWhatComesWhileTheDiskIsWaitedFor() throws {
    let queue = SimulatedWorkQueue()
    let store = try SQLiteSessionStore(path: directory.file(), capacity: 1600, queue: queue)
    let long = String(repeating: "x", count: 168)
    for key: UInt64 in 1...7 { try store.put(key, long) }
    #expect(throws: MQTTStoreError.full) { try store.put(8, long) }
    #expect(!store.isOverLimit)
    #expect(try !store.commit())
    try store.put(8, long)
    #expect(throws: MQTTStoreError.full) { try store.put(9, long) }
    #expect(queue.run())
    #expect(try store.commit())
    #expect(store.isOverLimit && store.usedBytes == 1600)
    try store.remove(1)
    #expect(!store.isOverLimit)
  }

  @Test func whatMattersMostIsKeptAlsoWhenTheDiskIsAlwaysBusy() throws {
    let queue = SimulatedWorkQueue()
    let store = try SQLiteSessionStore(path: directory.file(), capacity: 8192, queue: queue)
    var options = MQTTClientOptions(clientID: "d", randomSeed: 1)
    options.dropPolicy = .lowestPriority
    options.outboxCapacity = 256
    let client = try MQTTClient(options, store: store)
    let payload = [UInt8](repeating: 0x78, count: 100)
    func keep(_ topic: String, _ priority: MQTTPriority) throws {
      try client.publish(
        topic: topic.utf8.span, payload: payload.span, qos: .atLeastOnce, durability: .disk(priority))
    }
    // Every message comes while a commit is under way, three of no importance for each alarm.
    for number in 0..<40 {
      _ = try client.commit()
      for _ in 0..<3 { try keep("weather", .low) }
      try keep("alarm/\(number)", .high)
      _ = queue.run()
      _ = try client.commit()
    }
    while queue.run() { _ = try client.commit() }
    let alarms = try store.all().values.filter { $0.contains("alarm/") }
    #expect(alarms.count == 40)
    #expect(store.usedBytes <= 8192)
  }

  @Test(arguments: [MQTTDropPolicy.oldest, .newest, .lowestPriority], [false, true])
  func theLimitHoldsForTheShortestMessages(policy: MQTTDropPolicy, isBusy: Bool) throws {
    let queue = SimulatedWorkQueue()
    let store = try SQLiteSessionStore(
      path: directory.file("\(policy).\(isBusy)"), capacity: 4096, queue: isBusy ? queue : nil)
    var options = MQTTClientOptions(clientID: "d", randomSeed: 1)
    options.dropPolicy = policy
    options.outboxCapacity = 256
    let client = try MQTTClient(options, store: store)
    let payload: [UInt8] = [0x31]
    var refused = 0
    for _ in 0..<500 {
      do throws(MQTTPublishError) {
        try client.publish(topic: "a".utf8.span, payload: payload.span, qos: .atLeastOnce, durability: .disk)
      } catch {
        #expect(error == .outboxFull)
        refused += 1
      }
      _ = try client.commit()
      // The disk is slow: most come while it is waited for.
      if refused % 7 == 0 { _ = queue.run() }
    }
    while queue.run() { _ = try client.commit() }
    #expect(store.usedBytes <= 4096)
    #expect(store.usedBytes > 3000)
    #expect(client.counters.dropped > 300)
  }

  @Test func closingMakesTheLastChangesDurableAndGivesTheFileBack() throws {
    let store = try open()
    try store.put(1, "one")
    try store.close()
    try store.put(2, "two")
    #expect(throws: MQTTStoreError.failed) { try store.commit() }
    #expect(try open().all() == [1: "one"])
    withExtendedLifetime(store) {}
  }

  @Test func aFileThatAnotherProcessHasOpenIsLeftAlone() throws {
    let store = try open()
    try store.put(1, "one")
    #expect(try store.commit())
    do throws(SessionStoreError) {
      _ = try open()
      Issue.record("opened twice")
    } catch {
      #expect(error.cause == .inUse)
    }
    #expect(try store.all() == [1: "one"])
    #expect(!directory.has("session.db.damaged"))
  }

  @Test func aDirectoryThatIsNotThereIsToldOf() throws {
    do throws(SessionStoreError) {
      _ = try SQLiteSessionStore(path: directory.file("nowhere/session.db"), capacity: 1000)
      Issue.record("opened nowhere")
    } catch {
      #expect(error.cause == .failed)
      let missing = directory.file("nowhere")
      #expect(error.message == "the directory \(missing) is not there: sudo mkdir -p \(missing)")
    }
  }
}
