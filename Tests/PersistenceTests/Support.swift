import Foundation
import MQTTClient
import Persistence

/// A directory of its own for a test.
final class Directory {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "swiftlet-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    path = url.path
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch {}
  }

  func file(_ name: String = "session.db") -> String { path + "/" + name }

  func bytes(_ name: String = "session.db") throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: file(name))))
  }

  func write(_ bytes: [UInt8], to name: String = "session.db") throws {
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
  }

  func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }
}

extension SQLiteSessionStore {
  func put(_ key: UInt64, _ text: String, limited: Bool = true) throws(MQTTStoreError) {
    let bytes = Array(text.utf8)
    try put(key, bytes.span, limited: limited)
  }

  /// All records as text, keys ascending.
  func all() throws(MQTTStoreError) -> [UInt64: String] {
    var records: [UInt64: String] = [:]
    var key: UInt64 = 0
    var isThere = true
    while isThere {
      isThere = try find(from: key) { found, value in
        records[found] = String(decoding: value.indices.map { value[$0] }, as: UTF8.self)
        key = found
      }
      if key == .max { break }
      key += 1
    }
    return records
  }
}
