import CLinux
import HAL

/// What a watched file is ready for.
public struct Readiness: OptionSet, Sendable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  public static let readable = Readiness(rawValue: UInt32(LINUX_READABLE))
  public static let writable = Readiness(rawValue: UInt32(LINUX_WRITABLE))
  /// The other side is gone; reading tells why.
  public static let closed = Readiness(rawValue: UInt32(LINUX_CLOSED))
}

/// Somebody who waits for a file to become ready.
public protocol FileObserver: AnyObject {
  func fileReady(_ readiness: Readiness)
}

/// What the loop runs between waits.
public protocol LoopClient: AnyObject {
  /// Does what is due and answers when it wants to run next (nil: only when a file is ready).
  func turn(now: Instant) -> Instant?
  /// Whether the loop should end.
  var isFinished: Bool { get }
}

/// One thread's epoll loop with one timer. It sleeps until a file is ready or the next deadline comes,
/// and costs nothing in between.
public final class EventLoop: MonotonicClock {
  private let epoll: Int32
  private let timer: Int32
  private var watches: [Watch] = []
  private var armed: Instant?
  /// How often the loop woke up, for the idle test.
  public private(set) var wakeUps: UInt64 = 0

  private static let timerToken = UInt32.max

  private struct Watch {
    var observer: (any FileObserver)?
    /// Tells the watch from earlier ones in its place, whose last events may still be in the batch.
    var generation: UInt32 = 0
  }

  public init() throws(SystemError) {
    epoll = try SystemError.check(linux_epoll_create())
    timer = try SystemError.check(linux_timer_create())
    _ = try SystemError.check(
      linux_epoll_add(epoll, timer, UInt32(LINUX_READABLE), EventLoop.timerToken))
  }

  public var now: Instant { Instant(nanoseconds: linux_now()) }

  public let boot = linux_boot()

  /// Watches a file. The token it answers names the watch in `change` and `unwatch`.
  public func watch(
    _ file: Int32, for readiness: Readiness, observer: any FileObserver
  ) throws(SystemError) -> UInt32 {
    var place = 0
    while place < watches.count && watches[place].observer != nil { place += 1 }
    if place == watches.count { watches.append(Watch()) }
    let token = watches[place].generation << 16 | UInt32(place)
    _ = try SystemError.check(linux_epoll_add(epoll, file, readiness.rawValue, token))
    watches[place].observer = observer
    return token
  }

  public func change(_ file: Int32, token: UInt32, to readiness: Readiness) throws(SystemError) {
    _ = try SystemError.check(linux_epoll_change(epoll, file, readiness.rawValue, token))
  }

  /// Ends a watch. Call before the file is closed.
  public func unwatch(_ file: Int32, token: UInt32) {
    _ = linux_epoll_remove(epoll, file)
    let place = Int(token & 0xFFFF)
    watches[place].observer = nil
    watches[place].generation = (watches[place].generation + 1) & 0x7FFF
  }

  /// Runs until the client is finished.
  public func run(_ client: any LoopClient) throws(SystemError) {
    var tokens = InlineArray<16, UInt32>(repeating: 0)
    var events = InlineArray<16, UInt32>(repeating: 0)
    while true {
      let deadline = client.turn(now: now)
      if client.isFinished { return }
      try arm(deadline)
      let ready = wait(&tokens, &events)
      wakeUps += 1
      for index in 0..<Int(try SystemError.check(ready)) {
        deliver(tokens[index], Readiness(rawValue: events[index]))
      }
    }
  }

  /// Gives back what the loop holds; it cannot run again. For loops that end before their process.
  public func close() {
    watches.removeAll()
    linux_close(epoll)
    linux_close(timer)
  }

  private func arm(_ deadline: Instant?) throws(SystemError) {
    if deadline == armed { return }
    armed = deadline
    // 0 would disarm, so a deadline that has passed becomes the earliest possible one.
    _ = try SystemError.check(linux_timer_set(timer, deadline.map { max(1, $0.nanoseconds) } ?? 0))
  }

  private func wait(_ tokens: inout InlineArray<16, UInt32>, _ events: inout InlineArray<16, UInt32>) -> Int32
  {
    var tokens = tokens.mutableSpan
    var events = events.mutableSpan
    return tokens.withUnsafeMutableBufferPointer { tokens in
      events.withUnsafeMutableBufferPointer { events in
        linux_epoll_wait(epoll, tokens.baseAddress, events.baseAddress, 16)
      }
    }
  }

  private func deliver(_ token: UInt32, _ readiness: Readiness) {
    if token == EventLoop.timerToken {
      var expirations: UInt64 = 0
      _ = linux_read(timer, &expirations, 8)
      armed = nil
    } else {
      // An observer earlier in this batch may have ended this watch.
      let place = Int(token & 0xFFFF)
      guard place < watches.count, watches[place].generation == token >> 16 else { return }
      watches[place].observer?.fileReady(readiness)
    }
  }
}
