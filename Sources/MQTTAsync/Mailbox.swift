import CLinux
import LinuxPlatform

/// Work from any thread for the thread of a client's loop: a queue under a lock, and an eventfd that wakes
/// the loop. In the order it was submitted.
final class Mailbox: Sendable {
  typealias Work = @Sendable (Engine) -> Void

  private struct State {
    var work: [Work] = []
    var isClosed = false
  }

  /// Readable while there is work.
  let file: Int32
  private let state = Locked(State())

  init() throws(MQTTAsyncError) {
    file = linux_event_create()
    guard file >= 0 else { throw .system(SystemError(number: -file).message) }
  }

  deinit {
    linux_close(file)
  }

  /// False: the loop has ended, and the work will not be done.
  @discardableResult
  func submit(_ work: @escaping Work) -> Bool {
    let (isTaken, isFirst) = state.withLock { state in
      guard !state.isClosed else { return (false, false) }
      state.work.append(work)
      return (true, state.work.count == 1)
    }
    if isFirst {
      var one: UInt64 = 1
      _ = linux_write(file, &one, 8)
    }
    return isTaken
  }

  func take() -> [Work] {
    state.withLock { state in
      let work = state.work
      state.work.removeAll()
      return work
    }
  }

  /// No more work; what was submitted before comes back.
  func close() -> [Work] {
    state.withLock { $0.isClosed = true }
    return take()
  }

  /// Makes `file` unreadable again. On the loop, before `take`.
  func hear() {
    var count: UInt64 = 0
    _ = linux_read(file, &count, 8)
  }
}
