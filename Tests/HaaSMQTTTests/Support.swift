import MQTTAsync
import Testing

/// What callbacks said, in order.
final class Notes: Sendable {
  private let notes = Locked<[String]>([])

  func add(_ text: String) { notes.withLock { $0.append(text) } }
  var all: [String] { notes.withLock { $0 } }

  /// Polls until the note is there.
  func wait(for text: String) async throws {
    try await wait { $0.contains(text) }
  }

  /// Polls until the notes are as they shall be; after that time something hangs.
  func wait(until isRight: ([String]) -> Bool) async throws {
    for _ in 0..<9000 where !isRight(all) { try await Task.sleep(for: .milliseconds(10)) }
    #expect(isRight(all), "\(all)")
  }
}
