import CLinux

/// SIGTERM, SIGINT and SIGHUP as events of the loop. Make it before the first thread.
public final class Signals: FileObserver {
  private let file: Int32
  private let received: (Int32) -> Void

  public init(loop: EventLoop, received: @escaping (Int32) -> Void) throws(SystemError) {
    file = try SystemError.check(linux_signal_create())
    self.received = received
    _ = try loop.watch(file, for: .readable, observer: self)
  }

  public func fileReady(_ readiness: Readiness) {
    let signal = linux_signal_read(file)
    if signal > 0 { received(signal) }
  }
}
