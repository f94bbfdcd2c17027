import HAL

/// Who is told when a gate's output has changed, for whatever reason.
public protocol SafetyGateObserver: AnyObject {
  /// `gate.confirmed` is another value than before.
  func gateChanged(_ gate: SafetyGate)
}

/// The only way to an output line: every wish passes here, and the policy acts here, with or without a broker.
///
/// A module that owns a gate starts it, asks it, and writes what it knows (`confirmed`) on its state topic. All else
/// the gate does itself: the device tells it of the broker and stops it; it marks the module's state, tells its
/// errors and reports what it did by itself.
///
/// A line behind a bus takes its time: then a command is answered later, when its chip has the value, or is
/// rejected and withdrawn when the bus hangs.
public final class SafetyGate: TimerOwner, OutputLineObserver {
  public let policy: SafetyPolicy
  /// The level that the output has for certain, or had until a change that is on its way; nil while nobody knows.
  public private(set) var confirmed: Bool?
  /// Why the line does not obey.
  private(set) var fault: LineError?
  private let line: any OutputLine
  private var rules: SafetyRules
  private var device: Device?
  private(set) var module: (any Module)?
  private var entity = 0
  private var observer: (any SafetyGateObserver)?
  private var timer: DeviceTimer?
  private var waiting: Waiting?
  private var isSetting = false

  /// A value on its way through a bus.
  private struct Waiting {
    let active: Bool
    /// Until when it is simply slow; nil: the bus hangs, and that has been told.
    var until: Instant?
    /// Who waits for an answer.
    var command: CommandText?
    /// Why the gate acted, to be reported when it has happened.
    var cause: SafetyCause?
  }

  /// How long a bus may take: the whole time-out of a controller (1 s in Linux) for another chip's transfer and
  /// for this one.
  private static let patience = Duration.seconds(2)
  /// Acts in one go: one more than the rules can ask for while the line obeys.
  private static let mostActs = 4

  /// The line has been requested with `policy.start`.
  public init(line: any OutputLine, policy: SafetyPolicy = SafetyPolicy()) {
    self.line = line
    self.policy = policy
    rules = SafetyRules(policy)
  }

  /// What the output was last told to be; false while nobody knows.
  public var isActive: Bool { line.isActive }

  /// A value has not arrived at the line yet.
  var isPending: Bool {
    if case .pending = line.level { return true }
    return false
  }

  /// Begins to watch over the output of `module`, which calls it once, in its own `start`. `entity`: the one of the
  /// module that shows it.
  public func start(
    on device: Device, for module: any Module, entity: Int = 0, observer: (any SafetyGateObserver)? = nil
  ) {
    self.device = device
    self.module = module
    self.entity = entity
    self.observer = observer
    timer = device.makeTimer(for: self)
    line.observer = self
    device.register(self)
    let now = device.clock.now
    let level = line.level
    rules.learned(level, now: now)
    if case .driven(let active) = level {
      confirmed = active
    } else {
      waiting = Waiting(active: line.isActive, until: now + SafetyGate.patience)
    }
    settle(now)
  }

  /// Switches the output, or says why not.
  public func ask(_ active: Bool, by source: CommandSource) -> CommandAnswer {
    ask(active, by: source, nil)
  }

  /// Switches the output as a command wants it, or says why not. After `.later` the device answers the command
  /// when it is known what became of it, or when a newer wish has taken its place.
  public func ask(_ active: Bool, for command: Command) -> CommandAnswer {
    ask(active, by: command.source, command.source == .broker ? CommandText(command.payload) : nil)
  }

  private func ask(_ active: Bool, by source: CommandSource, _ command: CommandText?) -> CommandAnswer {
    guard let device else { return .rejected("the device has not started") }
    let now = device.clock.now
    if case .refuse(let refusal) = rules.verdict(for: active, by: source, now: now) {
      return .rejected(refusal.text)
    }
    if let error = set(active, now) {
      settle(now)
      return .rejected(error.text)
    }
    let isDone = line.level == .driven(active)
    wait(for: active, isDone ? nil : command, now)
    hear(now)
    settle(now)
    return isDone ? .accepted : .later
  }

  /// A wish takes the place of the one before; one that only repeats it waits with it.
  private func wait(for active: Bool, _ command: CommandText?, _ now: Instant) {
    let cause = waiting?.active == active ? waiting?.cause : nil
    if waiting?.active == active, command == nil { return }
    if waiting?.command != nil { answer(.rejected("superseded by a newer command")) }
    waiting = Waiting(active: active, until: now + SafetyGate.patience, command: command, cause: cause)
  }

  func lost(_ party: SafetyParty) {
    guard let device else { return }
    rules.lost(party, now: device.clock.now)
    settle(device.clock.now)
  }

  func found(_ party: SafetyParty) {
    guard let device else { return }
    rules.found(party)
    settle(device.clock.now)
  }

  /// Brings the output to its stop level. From now on nobody switches it.
  func stop() {
    guard let device, let module else { return }
    let now = device.clock.now
    rules.stopped()
    if let stop = policy.stop {
      answer(.rejected(SafetyRefusal.stopping.text))
      waiting = nil
      if set(stop, now) == nil {
        if isPending { waiting = Waiting(active: stop, until: now + SafetyGate.patience) }
        hear(now)
      }
    } else {
      device.changed(module, entity)
    }
    settle(now)
  }

  public func timerFired(_ timer: DeviceTimer, now: Instant) {
    if let until = waiting?.until, until <= now { giveUp(now) }
    settle(now)
  }

  public func outputDriven() {
    guard let device, !isSetting else { return }
    hear(device.clock.now)
    settle(device.clock.now)
  }

  public func outputFailed(_ error: LineError) {
    guard let device, !isSetting else { return }
    setFault(error)
    rules.learned(line.level, now: device.clock.now)
    if line.level == .unknown { confirmed = nil }
    settle(device.clock.now)
  }

  /// The line takes the value, and the rules know; or the line's error, which has been told.
  private func set(_ active: Bool, _ now: Instant) -> LineError? {
    isSetting = true
    defer { isSetting = false }
    do throws(LineError) {
      try line.set(active: active)
    } catch {
      setFault(error)
      return error
    }
    rules.switched(to: active, level: line.level, now: now)
    return nil
  }

  /// Does what is due, and sleeps until something else is.
  private func settle(_ now: Instant) {
    for _ in 0..<SafetyGate.mostActs {
      guard let act = rules.takeAct(now: now) else { break }
      perform(act, now)
    }
    var next = rules.deadline(now: now)
    if let until = waiting?.until { next = min(next ?? until, until) }
    if let next { timer?.schedule(at: next) } else { timer?.cancel() }
  }

  private func perform(_ act: SafetyRules.Act, _ now: Instant) {
    if set(act.active, now) != nil { return }
    answer(.rejected(act.cause.text(policy)))
    waiting = Waiting(active: act.active, until: now + SafetyGate.patience, cause: act.cause)
    hear(now)
  }

  /// The line obeys, or is on its way: what is known of it now goes to all who wait for it.
  private func hear(_ now: Instant) {
    guard let device, let module else { return }
    rules.learned(line.level, now: now)
    guard case .driven(let active) = line.level else { return }
    let isChange = confirmed != active
    confirmed = active
    if fault != nil {
      fault = nil
      device.tellFaults(of: module)
    }
    device.changed(module, entity)
    if waiting?.active == active {
      if let cause = waiting?.cause { device.report("safety", reason: cause.text(policy), of: module) }
      answer(.accepted)
      waiting = nil
    }
    if isChange { observer?.gateChanged(self) }
  }

  /// The bus hangs. A command that is rejected for that must not be obeyed when it comes back: the output is to
  /// stay as it was, if the rules allow that.
  private func giveUp(_ now: Instant) {
    waiting?.until = nil
    if fault == nil { setFault(.bus(.timeout)) }
    guard let waiting, waiting.command != nil else { return }
    answer(.rejected("the bus hangs"))
    let before = confirmed ?? policy.start
    guard before != waiting.active, rules.verdict(for: before, by: .module, now: now) == .obey else { return }
    if set(before, now) == nil { self.waiting = Waiting(active: before) }
  }

  /// Answers the command that waits, if one does.
  private func answer(_ answer: CommandAnswer) {
    guard let command = waiting?.command, let device, let module else { return }
    waiting?.command = nil
    device.answerCommand(name: FixedText(module.name), command: command.text, answer)
  }

  private func setFault(_ error: LineError) {
    guard let device, let module else { return }
    fault = error
    device.tellFaults(of: module)
  }
}

/// As much of a command as its answer repeats.
private struct CommandText {
  private var bytes = InlineArray<32, UInt8>(repeating: 0)
  private var count = 0

  init(_ payload: FixedText) {
    let payload = payload.prefix(bytes.count)
    for index in 0..<payload.count { bytes[index] = payload[index] }
    count = payload.count
  }

  var text: FixedText { FixedText(bytes.span.extracting(0..<count)) }
}
