import DeviceRuntime
import Drivers
import HAL

/// Somebody who wants to know how an expander fares. Calls come on the event loop.
public protocol ExpanderObserver: AnyObject {
  func expanderChanged(to state: ExpanderState)
  /// A transfer failed, as the one before may have done.
  func expanderFailed(_ error: LineError)
}

/// How an expander fares.
public enum ExpanderState: Equatable, Sendable {
  /// It holds what it is to hold.
  case holding
  /// It had lost its power, or its settings otherwise, and holds what it is to hold again.
  case restored
  /// The last transfer failed, and is tried again.
  case failing(LineError)
  /// For too long: nobody knows what its outputs do, and its enable line is taken.
  case lost(LineError)
}

/// How long an expander is trusted.
public struct ExpanderTiming: Sendable {
  /// How long a transfer may be unconfirmed before the outputs are unknown and the enable line is taken.
  public var lostAfter: Duration
  /// How often the chip is read back.
  public var checkEvery: Duration
  /// How soon a failed transfer is tried again.
  public var retryAfter: Duration

  public init(
    lostAfter: Duration = .seconds(2), checkEvery: Duration = .seconds(5), retryAfter: Duration = .seconds(1)
  ) {
    self.lostAfter = lostAfter
    self.checkEvery = checkEvery
    self.retryAfter = retryAfter
  }
}

/// Owns the port of one expander. Outputs are set on the loop and written on the bus's queue, before whatever waits
/// there: many that are set at once are one transfer, and the newest levels win. An output is `.driven` once the
/// chip has shown its level in its registers.
///
/// While the bus fails, transfers are retried every second. In between the chip is read every few seconds, because
/// a chip that lost its power for a moment has forgotten everything and says nothing.
///
/// `enable` is a line of the kernel that has been requested inactive, and that cuts the outputs off while it is (an
/// output enable, a reset, the coils' supply). It becomes active after the first confirmed write, inactive again
/// when a transfer is unconfirmed for `lostAfter` and at the stop, and at a crash it is what the kernel, or the
/// keeper of crash levels, makes of it. With it, an output behind a bus is as safe as one of the kernel's.
///
///     let port = ExpanderPort(MCP23017(device), queue: queue, enable: enable)
///     let fan = try port.output(3, activeLow: true, startsActive: false)   // … all of its outputs
///     port.open()               // the first transfer
///     port.start(on: device)    // timers
///     …
///     port.stop()               // after the outputs have been given their stop levels
public final class ExpanderPort: Work, TimerOwner {
  /// Who is told how the chip fares.
  public var observer: (any ExpanderObserver)?
  private let queue: any WorkQueue
  private let enable: (any OutputLine)?
  private let timing: ExpanderTiming
  private let pinCount: Int
  private var lines: [ExpanderOutputLine] = []
  private var outputs: UInt32 = 0
  private var wanted: UInt32 = 0
  /// The levels that the chip has shown, of the pins in `known`: not of those that a transfer may have changed since.
  private var confirmed: UInt32 = 0
  private var known: UInt32 = 0
  private var hasHeld = false

  private var isBusy = false
  private var isDirty = false
  private var isLost = false
  /// The pins of which nobody knows anything since: not those that have been set again.
  private var unknown: UInt32 = 0
  private var isStopped = false
  private var failure: LineError?

  private var device: Device?
  private var retry: DeviceTimer?
  private var check: DeviceTimer?
  private var loss: DeviceTimer?

  // The queue's while `isBusy`.
  private let chip: any HeldChip
  private var sending: (levels: UInt32, outputs: UInt32) = (0, 0)
  private var outcome = Outcome.failed(.bus(.timeout))

  private enum Outcome {
    case held(restored: Bool)
    case failed(LineError)
  }

  /// `enable`, if there is one, has been requested inactive.
  public convenience init<Chip: PortExpander>(
    _ chip: Chip, queue: any WorkQueue, enable: (any OutputLine)? = nil,
    timing: ExpanderTiming = ExpanderTiming()
  ) {
    self.init(
      held: ExpanderChip(chip), pinCount: Chip.pinCount, queue: queue, enable: enable, timing: timing)
  }

  init(
    held chip: any HeldChip, pinCount: Int, queue: any WorkQueue, enable: (any OutputLine)?,
    timing: ExpanderTiming
  ) {
    self.chip = chip
    self.pinCount = pinCount
    self.queue = queue
    self.enable = enable
    self.timing = timing
  }

  /// The output on a pin, with its start level. `.noSuchLine` if the chip has no such pin, `.busy` if it is taken.
  /// Before `open`.
  public func output(_ pin: Int, activeLow: Bool, startsActive: Bool) throws(LineError) -> ExpanderOutputLine
  {
    guard pin >= 0, pin < pinCount else { throw .noSuchLine }
    let bit = UInt32(1) << UInt32(pin)
    guard outputs & bit == 0 else { throw .busy }
    outputs |= bit
    if startsActive != activeLow { wanted |= bit }
    let line = ExpanderOutputLine(self, bit: bit, activeLow: activeLow)
    lines.append(line)
    return line
  }

  /// Queues the first transfer. Until it has come through, pins are what they were before the program started, or
  /// what the chip makes of them at power-up.
  public func open() {
    submit()
  }

  /// Begins to retry and to read back.
  public func start(on device: Device) {
    self.device = device
    retry = device.makeTimer(for: self)
    check = device.makeTimer(for: self)
    loss = device.makeTimer(for: self)
    if isSettled { return schedule(check, after: timing.checkEvery) }
    schedule(loss, after: timing.lostAfter)
    if !isBusy { schedule(retry, after: timing.retryAfter) }
  }

  /// Takes the enable line; levels that are on their way still go out.
  public func stop() {
    isStopped = true
    check?.cancel()
    updateEnable()
  }

  /// All outputs are known to have the level that was asked for last. A clean stop waits for that, but not long.
  public var isSettled: Bool { !isBusy && !isDirty && failure == nil && unconfirmed == 0 }

  func set(_ line: ExpanderOutputLine, high: Bool) {
    wanted = high ? wanted | line.bit : wanted & ~line.bit
    unknown &= ~line.bit
    line.isAwaited = true
    line.told = nil
    isDirty = true
    if !isBusy { submit() }
  }

  func knowledge(of bit: UInt32) -> BitKnowledge {
    if unknown & bit != 0 { return .unknown }
    let isDriven = unconfirmed & bit == 0 && !isLost
    return isDriven ? .driven(high: wanted & bit != 0) : .pending(high: wanted & bit != 0)
  }

  /// Pins that are not known to have the level that is wanted.
  private var unconfirmed: UInt32 { outputs & ~known | outputs & (wanted ^ confirmed) }

  private func submit() {
    sending = (wanted, outputs)
    known &= ~(wanted ^ confirmed)
    isDirty = false
    retry?.cancel()
    check?.cancel()
    isBusy = queue.submit(self, urgent: true)
    if !isLost, let loss, loss.deadline == nil { schedule(loss, after: timing.lostAfter) }
    // A queue that has too many users refuses: the loss is told in time.
    if !isBusy { schedule(retry, after: timing.retryAfter) }
  }

  public func perform() {
    do throws(LineError) {
      outcome = .held(restored: try chip.hold(sending.levels, on: sending.outputs))
    } catch {
      outcome = .failed(error)
    }
  }

  public func completed() {
    isBusy = false
    switch outcome {
    case .held(let restored): succeed(restored)
    case .failed(let error): fail(error)
    }
    if isDirty { submit() }
  }

  private func succeed(_ isRestored: Bool) {
    let hadFailed = failure != nil || !hasHeld
    hasHeld = true
    confirmed = sending.levels
    known = sending.outputs
    failure = nil
    isLost = false
    unknown = 0
    loss?.cancel()
    if !isStopped { schedule(check, after: timing.checkEvery) }
    updateEnable()
    if isRestored {
      observer?.expanderChanged(to: .restored)
    } else if hadFailed {
      observer?.expanderChanged(to: .holding)
    }
    for line in lines where line.isAwaited && unconfirmed & line.bit == 0 {
      line.isAwaited = false
      line.told = nil
      line.observer?.outputDriven()
    }
  }

  private func fail(_ error: LineError) {
    let isNew = failure != error
    failure = error
    observer?.expanderFailed(error)
    schedule(retry, after: timing.retryAfter)
    if isNew { observer?.expanderChanged(to: isLost ? .lost(error) : .failing(error)) }
    tellFailure(error)
  }

  /// Once a line that waits, and error.
  private func tellFailure(_ error: LineError) {
    for line in lines where line.isAwaited && line.told != error {
      line.told = error
      line.observer?.outputFailed(error)
    }
  }

  public func timerFired(_ timer: DeviceTimer, now: Instant) {
    if timer === loss { return lose() }
    updateEnable()
    if !isBusy && !(isStopped && isSettled) { submit() }
  }

  /// Nothing has been confirmed for too long; the transfer that hangs has not even failed.
  private func lose() {
    let error = failure ?? .bus(.timeout)
    isLost = true
    unknown = outputs
    updateEnable()
    for line in lines { line.isAwaited = true }
    observer?.expanderChanged(to: .lost(error))
    tellFailure(error)
  }

  /// The outputs are let through only while they are known to be what they are to be.
  private func updateEnable() {
    guard let enable else { return }
    let isAllowed = !isStopped && !isLost && hasHeld
    if enable.level == .driven(isAllowed) { return }
    do {
      try enable.set(active: isAllowed)
    } catch {
      observer?.expanderChanged(to: .failing(error))
      schedule(retry, after: timing.retryAfter)
    }
  }

  private func schedule(_ timer: DeviceTimer?, after delay: Duration) {
    guard let device, let timer else { return }
    timer.schedule(at: device.clock.now + delay)
  }
}

/// What is known of a pin.
enum BitKnowledge {
  case driven(high: Bool)
  case pending(high: Bool)
  case unknown
}

/// An output of an expander. `set` never fails: what became of it, the observer hears.
public final class ExpanderOutputLine: OutputLine {
  public var observer: (any OutputLineObserver)?
  private let port: ExpanderPort
  private let activeLow: Bool
  let bit: UInt32
  /// The observer waits for the level; at the start for the first.
  var isAwaited = true
  /// The failure the observer knows of.
  var told: LineError?

  init(_ port: ExpanderPort, bit: UInt32, activeLow: Bool) {
    self.port = port
    self.bit = bit
    self.activeLow = activeLow
  }

  public func set(active: Bool) throws(LineError) {
    port.set(self, high: active != activeLow)
  }

  public var level: OutputLevel {
    switch port.knowledge(of: bit) {
    case .driven(let high): .driven(high != activeLow)
    case .pending(let high): .pending(high != activeLow)
    case .unknown: .unknown
    }
  }
}
