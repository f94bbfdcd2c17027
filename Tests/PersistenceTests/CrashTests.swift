import FaultyDisk
import Foundation
import MQTTClient
import Persistence
import Testing

/// Everything that uses the faulty disk, of which there is one.
@Suite(.serialized) struct FaultyDiskTests {
  init() throws {
    try #require(faulty_disk_install() == 0, "libsqlite3 is missing: scripts/setup build")
  }

  /// Kills and losses of power at any write: what was durable arrives, QoS 1 at least once, QoS 2 exactly
  /// once and in order, and a message of the server is not handled again.
  /// [MQTT-4.3.2-1], [MQTT-4.3.3-1], [MQTT-4.3.3-2], [MQTT-4.4.0-1], [MQTT-4.6.0-1]
  @Test func aDeviceThatDiesAtAnyWriteLosesNothingItPromisedToKeep() throws {
    let wanted = ProcessInfo.processInfo.environment["SWIFTLET_CRASH_RUNS"].flatMap { Int($0) } ?? 250
    var (deaths, refused) = (0, 0)
    for seed in 1...wanted {
      let run = try CrashRun(seed: UInt64(seed))
      try run.run()
      deaths += run.deaths
      refused += run.refused
      #expect(run.complaints == [], "seed \(seed)")
    }
    #expect(deaths >= wanted && refused >= wanted)
  }

  /// The figures of docs/durable-outbox.md: what reaches the disk for a message of 107 bytes that is kept and
  /// removed with the next.
  @Test(arguments: [(1, 700, 1.05), (20, 300, 0.08)])
  func aMessageCostsTheDiskFewBytesAndOneSync(group: Int, bytes: Int, syncs: Double) throws {
    faulty_disk_format()
    let store = try SQLiteSessionStore(path: "session", capacity: 1 << 20, vfs: "faulty")
    let record = [UInt8](repeating: 7, count: 107)
    let (bytesBefore, syncsBefore) = (faulty_disk_bytes(), faulty_disk_syncs())
    let count = 2000
    for number in 0..<count {
      try store.put(UInt64(16 << 56 + number), record.span, limited: true)
      if number >= group { try store.remove(UInt64(16 << 56 + number - group)) }
      if (number + 1) % group == 0 { #expect(try store.commit()) }
    }
    let written = (faulty_disk_bytes() - bytesBefore) / count
    let synced = Double(faulty_disk_syncs() - syncsBefore) / Double(count)
    #expect(written <= bytes && written > 100, "\(written) bytes")
    #expect(synced <= syncs && synced > 0.04, "\(synced) syncs")
  }

  @Test func aFullDiskIsAnErrorThatPassesWhenThereIsRoomAgain() throws {
    faulty_disk_format()
    let store = try SQLiteSessionStore(path: "session", capacity: 1 << 20, vfs: "faulty")
    try store.put(1, "one")
    #expect(try store.commit())
    faulty_disk_fill(0)
    var key: UInt64 = 2
    #expect(throws: MQTTStoreError.diskFull) {
      while key < 10_000 {
        try store.put(key, String(repeating: "x", count: 200))
        if key % 4 == 0 { _ = try store.commit() }
        key += 1
      }
    }
    #expect(store.usedBytes == 35)
    #expect(try store.all() == [1: "one"])
    faulty_disk_fill(-1)
    try store.put(2, "two")
    #expect(try store.commit())
    #expect(try store.all() == [1: "one", 2: "two"])
  }

  /// A disk that is full at any moment, again and again, loses nothing that was durable.
  @Test func aClientOnADiskThatFillsGoesOnAndTellsOfItOnce() throws {
    faulty_disk_format()
    let store = try SQLiteSessionStore(path: "session", capacity: 1 << 20, vfs: "faulty")
    var options = MQTTClientOptions(clientID: "dev", randomSeed: 7)
    options.cleanSession = false
    let client = try MQTTClient(options, store: store)
    let topic = Array("t".utf8)
    var told = 0
    for round in 0..<50 {
      faulty_disk_fill(round % 5 == 0 ? 100 : -1)
      for _ in 0..<5 {
        do throws(MQTTPublishError) {
          try client.publish(topic: topic.span, payload: topic.span, qos: .atLeastOnce, durability: .disk)
        } catch {
          #expect(error == .storeFailed(.diskFull))
        }
      }
      do throws(MQTTStoreError) { try client.commit() } catch { #expect(error == .diskFull) }
      while let event = client.nextEvent(now: 1) {
        if case .storeFailed(.diskFull) = event { told += 1 }
      }
    }
    #expect(told == 10)
    #expect(client.counters.storeFailures == 10)
  }
}
