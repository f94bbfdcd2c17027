import CLinux
import HAL

/// A server that is spoken to without TLS, and may expect it all the same.
public struct PlainServer: Sendable {
  /// Whom to ask for instead: `mqtts://`
  public var secured: String
  /// A password is among the first things that it is told.
  public var isToldSecrets: Bool

  public init(secured: String, isToldSecrets: Bool = false) {
    self.secured = secured
    self.isToldSecrets = isToldSecrets
  }

  /// A record of TLS begins so, and nothing that a server of ours sends: an alert, since it understood nothing.
  static let alert: UInt8 = 0x15
  /// Enough for a server with TLS to see that this is none, and too little to be secret.
  static let harmlessBytes = 8

  /// How long a server with TLS may take to say so. One of ours is silent until it has more, at each connection until
  /// it has answered once: where it usually listens this is short.
  static func patience(_ port: UInt16, roundTrip: Duration) -> Duration {
    (port == 1883 ? .milliseconds(50) : .milliseconds(500)) + roundTrip * 4
  }
}

/// A moment of the loop.
final class Moment: FileObserver {
  private let loop: EventLoop
  private let passed: () -> Void
  private var timer: Int32 = -1
  private var token: UInt32 = 0

  init(loop: EventLoop, _ passed: @escaping () -> Void) {
    self.loop = loop
    self.passed = passed
  }

  func begin(_ duration: Duration) throws(SystemError) {
    stop()
    timer = try SystemError.check(linux_timer_create())
    do throws(SystemError) {
      token = try loop.watch(timer, for: .readable, observer: self)
    } catch {
      linux_close(timer)
      timer = -1
      throw error
    }
    _ = linux_timer_set(timer, (loop.now + duration).nanoseconds)
  }

  func stop() {
    if timer < 0 { return }
    loop.unwatch(timer, token: token)
    linux_close(timer)
    timer = -1
  }

  func fileReady(_ readiness: Readiness) {
    stop()
    passed()
  }
}
