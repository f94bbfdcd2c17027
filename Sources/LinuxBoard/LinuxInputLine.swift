import CGPIOD
import CLinux
import HAL
import LinuxPlatform

/// How an input line is wired.
public enum Pull: Int32, Sendable {
  case asIs = 0
  case up = 1
  case down = 2
  case none = 3
}

/// A line that is read: edge events from the kernel, debounced and stamped there.
///
/// Where the library cannot ask the kernel for debouncing (libgpiod 1.6) a timer waits for the line to
/// settle, and where the chip has no interrupts the same timer polls.
public final class LinuxInputLine: InputLine, FileObserver {
  public var observer: (any InputLineObserver)?
  private let line: OpaquePointer
  private let loop: EventLoop
  private let debounce: Duration
  private let isDebounced: Bool
  private let hasEvents: Bool
  private var watch: (file: Int32, token: UInt32)?
  private var settling: SettleTimer?
  private var sequence: UInt32 = 0
  private var reported = false
  private var lastEdge = Instant.zero

  private static let pollInterval = Duration.milliseconds(50)

  public init(
    _ address: LineAddress, consumer: String, activeLow: Bool, pull: Pull, debounce: Duration, loop: EventLoop
  ) throws(LineError) {
    var location = try address.locate()
    var line: OpaquePointer?
    var debounced: Int32 = 0
    var events: Int32 = 0
    let result = consumer.withCString {
      gpio_request_input(
        &location, $0, activeLow ? 1 : 0, pull.rawValue, UInt32(debounce.nanoseconds / 1_000), &debounced,
        &events, &line)
    }
    guard result >= 0, let line else { throw LineError(number: -result) }
    self.line = line
    self.loop = loop
    self.debounce = debounce
    isDebounced = debounced == 1
    hasEvents = events == 1
    reported = try isActive()
    do { try watchLine() } catch { throw .system(error.number) }
  }

  public func isActive() throws(LineError) -> Bool {
    let value = gpio_get(line)
    if value < 0 { throw LineError(number: -value) }
    return value == 1
  }

  public func fileReady(_ readiness: Readiness) {
    var raw = gpio_edge()
    let result = gpio_read_edge(line, &raw)
    guard result >= 0 else { return fail(LineError(number: -result)) }
    let at = Instant(nanoseconds: raw.at)
    if isDebounced {
      let lost = sequence == 0 || raw.sequence == 0 ? 0 : raw.sequence &- sequence &- 1
      sequence = raw.sequence
      report(Edge(active: raw.active == 1, at: at, lost: lost))
    } else {
      lastEdge = at
      settling?.start(at: loop.now + debounce)
    }
  }

  private func watchLine() throws(SystemError) {
    if hasEvents {
      let file = gpio_fd(line)
      watch = (file, try loop.watch(file, for: .readable, observer: self))
    }
    if isDebounced && hasEvents { return }
    let timer = try SettleTimer(loop: loop, line: self)
    settling = timer
    if !hasEvents { timer.start(at: loop.now + LinuxInputLine.pollInterval) }
  }

  /// The timer's end: the line has been quiet for long enough, or it is time to poll again.
  fileprivate func settled() {
    let active: Bool
    do { active = try isActive() } catch { return fail(error) }
    if active != reported { report(Edge(active: active, at: hasEvents ? lastEdge : loop.now)) }
    if !hasEvents { settling?.start(at: loop.now + LinuxInputLine.pollInterval) }
  }

  private func report(_ edge: Edge) {
    reported = edge.active
    observer?.inputChanged(edge)
  }

  private func fail(_ error: LineError) {
    if let watch { loop.unwatch(watch.file, token: watch.token) }
    watch = nil
    observer?.inputFailed(error)
  }
}

/// A timerfd that tells its line when it is over; both live as long as the loop.
private final class SettleTimer: FileObserver {
  private let file: Int32
  private let line: LinuxInputLine

  init(loop: EventLoop, line: LinuxInputLine) throws(SystemError) {
    self.line = line
    file = try SystemError.check(linux_timer_create())
    _ = try loop.watch(file, for: .readable, observer: self)
  }

  func start(at instant: Instant) {
    _ = linux_timer_set(file, instant.nanoseconds)
  }

  func fileReady(_ readiness: Readiness) {
    var expirations: UInt64 = 0
    _ = linux_read(file, &expirations, 8)
    line.settled()
  }
}
