import CLinux

/// SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2 as events of the loop. Make it before the first thread, which inherits that
/// they are blocked.
public final class Signals: FileObserver {
  /// Called when one of them came.
  public var received: ((Int32) -> Void)?
  private let file: Int32

  public init(loop: EventLoop) throws(SystemError) {
    file = try SystemError.check(linux_signal_create())
    _ = try loop.watch(file, for: .readable, observer: self)
  }

  public func fileReady(_ readiness: Readiness) {
    let signal = linux_signal_read(file)
    if signal > 0 { received?(signal) }
  }
}
