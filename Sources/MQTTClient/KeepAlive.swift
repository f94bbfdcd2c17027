/// When to ask for a sign of life and when to give a peer up.
struct KeepAlive {
  /// Milliseconds, 0 for never.
  private var interval: UInt64
  private var lastSent: UInt64 = 0
  private var lastReceived: UInt64 = 0
  private var giveUpAt: UInt64?

  /// Longest wait for an answer to `PINGREQ`.
  private static let longestAnswer: UInt64 = 30_000

  init(seconds: UInt16) {
    interval = UInt64(seconds) * 1_000
  }

  /// Another time between signs of life, from now on.
  mutating func set(seconds: UInt16) {
    interval = UInt64(seconds) * 1_000
  }

  func hasReceived(within time: UInt64, _ now: UInt64) -> Bool { now - lastReceived <= time }

  enum Verdict { case wait, ping, dead }

  mutating func started(_ now: UInt64) {
    lastSent = now
    lastReceived = now
    giveUpAt = nil
  }

  mutating func sent(_ now: UInt64) { lastSent = now }

  mutating func received(_ now: UInt64) {
    lastReceived = now
    giveUpAt = nil
  }

  /// A little early, so that a late loop still keeps [MQTT-3.1.2-23].
  private var pingAt: UInt64 {
    min(lastSent, lastReceived) + interval - min(interval / 10, 1_000)
  }

  var deadline: UInt64? {
    interval == 0 ? nil : giveUpAt ?? pingAt
  }

  func verdict(_ now: UInt64) -> Verdict {
    guard let deadline, now >= deadline else { return .wait }
    return giveUpAt == nil ? .ping : .dead
  }

  mutating func pinged(_ now: UInt64) {
    lastSent = now
    giveUpAt = now + min(interval / 2, Self.longestAnswer)
  }
}
