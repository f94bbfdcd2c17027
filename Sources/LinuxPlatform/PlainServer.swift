import CLinux
import HAL

/// A server that is spoken to without TLS, and may expect it all the same.
public struct PlainServer: Sendable {
  /// Whom to ask for instead: `mqtts://`
  public var secured: String
  /// A password is among the first things that it is told.
  public var isToldSecrets: Bool
  /// Many servers with TLS close without a word on what it is told first: then it is asked, whatever its port.
  public var isAsked: Bool

  public init(secured: String, isToldSecrets: Bool = false, isAsked: Bool = false) {
    self.secured = secured
    self.isToldSecrets = isToldSecrets
    self.isAsked = isAsked
  }

  /// A record of TLS begins so, and nothing that a server of ours sends: an alert, or its part of a handshake.
  static func isTLS(_ first: UInt8) -> Bool { first == 0x15 || first == 0x16 }

  /// Where a server usually listens for TLS.
  static func isUsualForTLS(_ port: UInt16) -> Bool { port == 8883 || port == 443 }

  /// Enough for a server with TLS to see that this is none, and too little to be secret.
  static let harmlessBytes = 8

  /// The beginning of a handshake (ClientHello of RFC 5246, without extensions). Many servers with TLS close without a
  /// word on anything else; on this they all answer, were it that it is not good enough.
  static var hello: [UInt8] {
    var hello = [UInt8](repeating: 0, count: 52)
    // Record, message, version 1.2; then 32 bytes that nobody looks at.
    let beginning: [UInt8] = [0x16, 3, 1, 0, 47, 1, 0, 0, 43, 3, 3]
    for index in beginning.indices { hello[index] = beginning[index] }
    // No session, two cipher suites, no compression.
    let end: [UInt8] = [0, 0, 4, 0xC0, 0x2F, 0, 0x2F, 1, 0]
    for index in end.indices { hello[43 + index] = end[index] }
    return hello
  }

  /// How long a server with TLS may take to say so. One of ours is silent until it has more, at each connection until
  /// it has answered once: where it usually listens this is short, and long where a server with TLS does.
  static func patience(_ port: UInt16, roundTrip: Duration) -> Duration {
    let least: Duration =
      port == 1883 ? .milliseconds(50) : isUsualForTLS(port) ? .seconds(5) : .milliseconds(500)
    return least + roundTrip * 4
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
