import DeviceRuntime
import HAL

/// A line of the kernel that may sleep, because its chip is behind a bus (an expander that the kernel drives, such
/// as gpio-pca953x), so that the loop does not wait for it. `set` is queued before whatever else waits for the
/// queue, the newest value wins, and a failure is tried again every second; what became of it, the observer hears.
///
/// All lines of one chip share a queue: their request is one, and it is not to be used by two threads at a time.
public final class QueuedOutputLine: OutputLine, Work, TimerOwner, DevicePart {
  public var observer: (any OutputLineObserver)?
  private let queue: any WorkQueue
  /// The kernel's level was the wanted one after the last `set` that came through.
  private var confirmed: Bool
  private var wanted: Bool
  private var isBusy = false
  private var isAwaited = false
  private var isLost = false
  private var failure: LineError?

  private var device: Device?
  private var retry: DeviceTimer?
  private var loss: DeviceTimer?

  // The queue's while `isBusy`.
  private let line: any OutputLine
  private var sending = false
  private var outcome: LineError?

  private static let retryAfter = Duration.seconds(1)
  /// A level that is not driven after that long is unknown: the driver, or its bus, hangs.
  private static let lostAfter = Duration.seconds(2)

  /// The line has been requested with its start level. From now on it is this object's alone.
  public init(_ line: any OutputLine, queue: any WorkQueue) {
    self.line = line
    self.queue = queue
    confirmed = line.isActive
    wanted = line.isActive
  }

  /// Begins to retry what fails.
  public func start(on device: Device) {
    self.device = device
    retry = device.makeTimer(for: self)
    loss = device.makeTimer(for: self)
    if isAwaited { schedule(loss, after: Self.lostAfter) }
    if isAwaited && !isBusy { schedule(retry, after: Self.retryAfter) }
  }

  public var level: OutputLevel {
    if isLost { return .unknown }
    return isAwaited ? .pending(wanted) : .driven(confirmed)
  }

  public func set(active: Bool) throws(LineError) {
    wanted = active
    isAwaited = true
    isLost = false
    failure = nil
    if let loss, loss.deadline == nil { schedule(loss, after: Self.lostAfter) }
    if !isBusy { submit() }
  }

  private func submit() {
    sending = wanted
    retry?.cancel()
    isBusy = queue.submit(self, urgent: true)
    if !isBusy { schedule(retry, after: Self.retryAfter) }
  }

  public func perform() {
    do throws(LineError) {
      try line.set(active: sending)
      outcome = nil
    } catch {
      outcome = error
    }
  }

  public func completed() {
    isBusy = false
    if let outcome { return fail(outcome) }
    confirmed = sending
    if sending != wanted { return submit() }
    isAwaited = false
    isLost = false
    failure = nil
    loss?.cancel()
    observer?.outputDriven()
  }

  private func fail(_ error: LineError) {
    let isNew = failure != error
    failure = error
    device?.debug("a line behind a bus", error.text)
    if sending != wanted { submit() } else { schedule(retry, after: Self.retryAfter) }
    if isNew { observer?.outputFailed(error) }
  }

  public func timerFired(_ timer: DeviceTimer, now: Instant) {
    if timer === loss {
      isLost = true
      observer?.outputFailed(failure ?? .bus(.timeout))
    } else if !isBusy {
      submit()
    }
  }

  private func schedule(_ timer: DeviceTimer?, after delay: Duration) {
    guard let device, let timer else { return }
    timer.schedule(at: device.clock.now + delay)
  }
}
