import HAL

// What the level `debug` adds to the log: every command, edge and failed transfer.
extension Device {
  /// Logs what happened to something, after the time at which it did: seconds of the clock that the kernel's own log
  /// has, too. More lines than a reader can use become a number.
  @inline(never)
  public func debug(_ name: FixedText, _ what: FixedText, at moment: Instant? = nil) {
    guard log.level == .debug, debugLimit.admits(clock.now) else { return }
    var line = FixedText()
    line.append(secondsOf: moment ?? clock.now)
    line.append(" ")
    line.append(name)
    line.append(": ")
    line.append(what)
    log.write(.debug, line)
  }

  /// The lines that a limit kept out of the log become a number.
  func tellUnlogged() {
    tell(&rejectionLimit, .warning, "more commands rejected: ")
    tell(&debugLimit, .debug, "more of this: ")
  }

  @inline(never)
  private func tell(_ limit: inout LogLimit, _ level: LogLevel, _ what: StaticString) {
    guard let deadline = limit.deadline, clock.now >= deadline else { return }
    var line = FixedText(what)
    line.append(decimal: Int64(limit.takeUnlogged()))
    log.write(level, line)
  }
}

/// How many lines that somebody else causes go to the log within a window of time.
struct LogLimit {
  private let most: Int
  private var end = Instant.zero
  private var logged = 0
  private var unlogged = 0

  private static let window = Duration.seconds(10)

  init(most: Int) { self.most = most }

  /// Whether another line may be logged; one that may not is counted.
  mutating func admits(_ now: Instant) -> Bool {
    if now >= end { (end, logged) = (now + LogLimit.window, 0) }
    guard logged < most else {
      unlogged += 1
      return false
    }
    logged += 1
    return true
  }

  /// When to tell how many were not.
  var deadline: Instant? { unlogged > 0 ? end : nil }

  mutating func takeUnlogged() -> Int {
    defer { unlogged = 0 }
    return unlogged
  }
}

extension FixedText {
  /// `12.000345`
  fileprivate mutating func append(secondsOf moment: Instant) {
    let microseconds = moment.nanoseconds / 1_000
    append(decimal: microseconds / 1_000_000)
    append(".")
    var unit: Int64 = 100_000
    while unit > 0 {
      append(decimal: microseconds / unit % 10)
      unit /= 10
    }
  }
}
