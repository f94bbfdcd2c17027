import CLinux
import HAL

/// A work queue with a thread of its own. Work travels as an index through pipes, so there is no lock:
/// whoever received the index last owns the work. Urgent work has a pipe of its own, which is read first.
public final class WorkerThread: WorkQueue, FileObserver {
  private let urgent: Pipe
  private let inbox: Pipe
  private let outbox: Pipe
  /// Everybody who ever submitted work, at a place that never moves, because the thread reads it.
  private let users: UnsafeMutablePointer<any Work>
  private var count = 0
  /// Which of them are in the queue; the loop's alone.
  private let isQueued: UnsafeMutablePointer<Bool>

  private typealias Pipe = (read: Int32, write: Int32)

  /// A 7-bit bus has 112 usable addresses, and a multiplexer makes eight buses of it. All of their indices
  /// fit a pipe at once, so that writing one never waits.
  static let capacity = 1_024

  /// Stack enough for the resolver's modules, the greediest user.
  private static let stackSize = 256 * 1024

  public init(loop: EventLoop) throws(SystemError) {
    (urgent, inbox, outbox) = try WorkerThread.pipes()
    users = .allocate(capacity: WorkerThread.capacity)
    isQueued = .allocate(capacity: WorkerThread.capacity)
    do throws(SystemError) {
      try start(loop)
    } catch {
      stop()
      throw error
    }
  }

  private func start(_ loop: EventLoop) throws(SystemError) {
    let token = try loop.watch(outbox.read, for: .readable, observer: self)
    // The thread keeps the queue alive until `stop`.
    let context = Unmanaged.passRetained(self)
    let result = linux_thread_start(
      { context in
        if let context { Unmanaged<WorkerThread>.fromOpaque(context).takeRetainedValue().serve() }
        return nil
      }, context.toOpaque(), WorkerThread.stackSize)
    guard result >= 0 else {
      context.release()
      loop.unwatch(outbox.read, token: token)
      throw SystemError(number: -result)
    }
  }

  deinit {
    linux_close(urgent.read)
    linux_close(inbox.read)
    linux_close(outbox.read)
    linux_close(outbox.write)
    users.deinitialize(count: count)
    users.deallocate()
    isQueued.deallocate()
  }

  /// Ends the thread after what was submitted. Nothing may be submitted afterwards; the loop has to end too.
  func stop() {
    linux_close(urgent.write)
    linux_close(inbox.write)
  }

  @discardableResult
  public func submit(_ work: any Work, urgent isUrgent: Bool) -> Bool {
    var index = 0
    while index < count && users[index] !== work { index += 1 }
    if index == count {
      if count == WorkerThread.capacity { return false }
      users.advanced(by: index).initialize(to: work)
      isQueued.advanced(by: index).initialize(to: false)
      count += 1
    }
    if isQueued[index] { return false }
    isQueued[index] = true
    send(UInt16(index), to: isUrgent ? urgent.write : inbox.write)
    return true
  }

  public func fileReady(_ readiness: Readiness) {
    while let index = receive(from: outbox.read) {
      isQueued[Int(index)] = false
      users[Int(index)].completed()
    }
  }

  private func serve() {
    while let index = next() {
      users[Int(index)].perform()
      send(index, to: outbox.write)
    }
  }

  /// Waits for work; nil when there will be none any more.
  private func next() -> UInt16? {
    switch linux_wait_readable(urgent.read, inbox.read) {
    case 0: receive(from: urgent.read)
    case 1: receive(from: inbox.read)
    default: nil
    }
  }

  private func send(_ index: UInt16, to file: Int32) {
    var index = index
    _ = linux_write(file, &index, 2)
  }

  private func receive(from file: Int32) -> UInt16? {
    var index: UInt16 = 0
    return linux_read(file, &index, 2) == 2 ? index : nil
  }

  /// All three, or no file is left open.
  private static func pipes() throws(SystemError) -> (urgent: Pipe, inbox: Pipe, outbox: Pipe) {
    let urgent = try pipe(nonblockingRead: false)
    do throws(SystemError) {
      let inbox = try pipe(nonblockingRead: false)
      do throws(SystemError) {
        return (urgent, inbox, try pipe(nonblockingRead: true))
      } catch {
        close(inbox)
        throw error
      }
    } catch {
      close(urgent)
      throw error
    }
  }

  private static func close(_ pipe: Pipe) {
    linux_close(pipe.read)
    linux_close(pipe.write)
  }

  private static func pipe(nonblockingRead: Bool) throws(SystemError) -> Pipe {
    var ends: (Int32, Int32) = (-1, -1)
    let result = withUnsafeMutableBytes(of: &ends) { bytes in
      linux_pipe(bytes.assumingMemoryBound(to: Int32.self).baseAddress, nonblockingRead ? 1 : 0)
    }
    _ = try SystemError.check(result)
    return ends
  }
}
