import Foundation
import MQTTClient
import Persistence
import TestNumbers
import Testing

/// Whatever is in the place of the database: the store opens, with what can be read or empty, and says so.
@Suite struct DamageTests {
  let directory: Directory
  let good: [UInt8]

  init() throws {
    directory = try Directory()
    do {
      let store = try SQLiteSessionStore(path: directory.file(), capacity: 1 << 20)
      for key in 0..<40 as Range<UInt64> { try store.put(key, String(repeating: "\(key)", count: 60)) }
      try store.close()
    }
    good = try directory.bytes()
    #expect(good.count > 5000)
  }

  /// Opens what is there now; what is in it can be read and written.
  private func open() throws -> SQLiteSessionStore {
    let store = try SQLiteSessionStore(path: directory.file(), capacity: 1 << 20)
    _ = try store.all()
    try store.put(99, "new")
    #expect(try store.commit())
    return store
  }

  @Test func aFileCutOffAnywhereIsReadOrSetAside() throws {
    for length in stride(from: 0, to: good.count, by: 97) {
      try directory.write(Array(good[..<length]))
      let store = try open()
      #expect((store.setAside != nil || store.damagedRecords > 0) == (length > 0), "\(length)")
    }
    #expect(directory.has("session.db.damaged"))
  }

  @Test func whatHasNothingOfAStoreIsLeftAlone() throws {
    for seed in 1...40 as ClosedRange<UInt64> {
      var random = SplitMix(state: seed)
      try expectLeftAlone((0..<4096).map { _ in UInt8.random(in: 0...255, using: &random) })
    }
  }

  private func expectLeftAlone(_ bytes: [UInt8]) throws {
    try directory.write(bytes)
    do throws(SessionStoreError) {
      _ = try SQLiteSessionStore(path: directory.file(), capacity: 1 << 20)
      Issue.record("opened")
    } catch {
      #expect(error.cause == .foreign)
      #expect(error.message == "\(directory.file()) is no outbox, and is left as it is: name another file")
    }
    #expect(try directory.bytes() == bytes)
    #expect(!directory.has("session.db.damaged"))
  }

  @Test func aStoreWhoseFirstPageIsLostIsSetAside() throws {
    var bytes = good
    for index in 0..<512 { bytes[index] = 0 }
    try directory.write(bytes)
    #expect(try open().setAside == "file is not a database")
    // Known by the log beside it.
    for index in 0..<512 { bytes[index] = 0xA5 }
    try directory.write(bytes)
    try directory.write([1, 2, 3], to: "session.db-wal")
    #expect(try open().setAside == "file is not a database")
  }

  @Test func damagedBytesNeverCrash() throws {
    for seed in 1...150 as ClosedRange<UInt64> {
      var random = SplitMix(state: seed)
      var bytes = good
      for _ in 0..<Int.random(in: 1...30, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      try directory.write(bytes)
      do {
        let store = try open()
        let options = MQTTClientOptions(clientID: "dev", randomSeed: seed)
        _ = try MQTTClient(options, store: store)
      } catch let error as MQTTStoreError {
        // Found only when it was used: the next start finds it too.
        #expect(error == .failed)
      }
    }
  }

  @Test func somebodyElsesDatabaseIsLeftAlone() throws {
    do {
      let store = try SQLiteSessionStore(path: directory.file("other.db"), capacity: 1000)
      try store.close()
    }
    var bytes = try directory.bytes("other.db")
    // The column "value" of the schema gets another name.
    let name = Array("value BLOB".utf8)
    let place = try #require(bytes.indices.first { bytes[$0...].starts(with: name) })
    bytes[place] = UInt8(ascii: "V")
    bytes[place + 1] = UInt8(ascii: "o")
    try directory.write(bytes)
    #expect(try open().setAside != nil)
    // Without our mark in the header (SQLite, "Database File Format", 1.3.15).
    try FileManager.default.removeItem(atPath: directory.file("session.db.damaged"))
    for index in 68..<72 { bytes[index] = 0 }
    try expectLeftAlone(bytes)
  }
}
