import CLinux
import HAL

/// A work queue with a thread of its own. Work travels as an index through two pipes, so there is no lock:
/// whoever received the index last owns the work.
public final class WorkerThread: WorkQueue, FileObserver {
  private let inbox: (read: Int32, write: Int32)
  private let outbox: (read: Int32, write: Int32)
  /// Everybody who ever submitted work, at a fixed place: what travels is the index.
  private let users: UnsafeMutablePointer<any Work>
  private var count = 0

  /// A 7-bit bus has 112 usable addresses.
  private static let capacity = 128

  /// Stack enough for the resolver's modules, the greediest user.
  private static let stackSize = 256 * 1024

  public init(loop: EventLoop) throws(SystemError) {
    inbox = try WorkerThread.pipe(nonblockingRead: false)
    do throws(SystemError) {
      outbox = try WorkerThread.pipe(nonblockingRead: true)
    } catch {
      linux_close(inbox.read)
      linux_close(inbox.write)
      throw error
    }
    users = .allocate(capacity: WorkerThread.capacity)
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
    linux_close(inbox.read)
    linux_close(outbox.read)
    linux_close(outbox.write)
    users.deinitialize(count: count)
    users.deallocate()
  }

  /// Ends the thread after what was submitted. Nothing may be submitted afterwards; the loop has to end too.
  func stop() {
    linux_close(inbox.write)
  }

  public func submit(_ work: any Work) {
    var index = 0
    while index < count && users[index] !== work { index += 1 }
    if index == count {
      precondition(count < WorkerThread.capacity, "more users of a work queue than a bus has addresses")
      users.advanced(by: index).initialize(to: work)
      count += 1
    }
    send(UInt8(index), to: inbox.write)
  }

  public func fileReady(_ readiness: Readiness) {
    while let index = receive(from: outbox.read) { users[Int(index)].completed() }
  }

  private func serve() {
    while let index = receive(from: inbox.read) {
      users[Int(index)].perform()
      send(index, to: outbox.write)
    }
  }

  private func send(_ index: UInt8, to file: Int32) {
    var index = index
    _ = linux_write(file, &index, 1)
  }

  private func receive(from file: Int32) -> UInt8? {
    var index: UInt8 = 0
    return linux_read(file, &index, 1) == 1 ? index : nil
  }

  private static func pipe(nonblockingRead: Bool) throws(SystemError) -> (read: Int32, write: Int32) {
    var ends: (Int32, Int32) = (-1, -1)
    let result = withUnsafeMutableBytes(of: &ends) { bytes in
      linux_pipe(bytes.assumingMemoryBound(to: Int32.self).baseAddress, nonblockingRead ? 1 : 0)
    }
    _ = try SystemError.check(result)
    return ends
  }
}
