import MQTTAsync
import Testing

/// What callbacks said, in order.
final class Notes: Sendable {
  private let notes = Locked<[String]>([])

  func add(_ text: String) { notes.withLock { $0.append(text) } }
  var all: [String] { notes.withLock { $0 } }

  /// Polls until the note is there.
  func wait(for text: String) async throws {
    for _ in 0..<1000 where !all.contains(text) { try await Task.sleep(for: .milliseconds(10)) }
    #expect(all.contains(text), "\(all)")
  }
}
