import CLinux

/// SIGTERM, SIGINT and SIGHUP as events of the loop. Make it before the first thread, which inherits that
/// they are blocked.
public final class Signals: FileObserver {
  /// Called when one of them came.
  public var received: (() -> Void)?
  private let file: Int32

  public init(loop: EventLoop) throws(SystemError) {
    file = try SystemError.check(linux_signal_create())
    _ = try loop.watch(file, for: .readable, observer: self)
  }

  public func fileReady(_ readiness: Readiness) {
    if linux_signal_read(file) > 0 { received?() }
  }
}
