import DeviceFile
import DeviceRuntime
import HAL

/// A relay (or anything else that is on or off): obeys `ON`, `OFF` and `TOGGLE`, and reports `ON` or `OFF`, or
/// words of one's own. With `pulse` it also obeys `PULSE`: on for that time, as a garage door or a bell wants it.
///
///     - relay: fan
///       line: GPIO5
///       active: low
///       pulse: 500ms
///       on_payload: open
///       off_payload: closed
///       safety: { start: off, stop: off, broker_lost: { after: 60s, then: off }, max_on: 30min }
public final class Relay: Module, SafetyGateObserver, TimerOwner {
  public static var kind: ModuleKind {
    ModuleKind("relay") { file in
      let gate = file.gate()
      return Relay(
        name: file.name, gate: gate, pulse: pulse(file, gate.policy),
        words: file.stateWords(besides: ["TOGGLE", "PULSE"]))
    }
  }

  public let name: String
  public let entities: [Entity]
  let gate: SafetyGate
  private let pulse: Duration?
  let words: StateWords
  private var timer: DeviceTimer?
  private var device: Device?
  private var isPulsing = false

  /// A pulse whose end is refused, by the line or by the policy, is ended as soon as that is possible.
  private static let retry = Duration.seconds(1)

  public init(
    name: String, gate: SafetyGate, pulse: Duration? = nil, words: StateWords = StateWords()
  ) {
    self.name = name
    self.gate = gate
    self.pulse = pulse
    self.words = words
    let commands: StaticString = pulse == nil ? "ON|OFF|TOGGLE" : "ON|OFF|TOGGLE|PULSE"
    entities = [Entity(.switch, access: [.state, .command], words: "ON|OFF", commands: commands)]
  }

  private static func pulse(_ file: ModuleFile, _ policy: SafetyPolicy) -> Duration? {
    guard let field = file.fields.optional("pulse") else { return nil }
    let pulse = field.duration(atLeast: .milliseconds(1))
    // One that is under way when the program stops would never end.
    if policy.stop != false {
      field.report("\(field.title) needs 'stop: off' in 'safety', else a pulse might not end")
    }
    if let pulse, let most = policy.maxOn, pulse > most {
      field.report("\(field.title) is longer than 'max_on' in 'safety', which would end it")
    }
    return pulse
  }

  public var stateWords: StateWords? { words }

  public func start(on device: Device) {
    self.device = device
    if pulse != nil { timer = device.makeTimer(for: self) }
    gate.start(on: device, for: self, observer: self)
  }

  public func write(_ entity: Int, to text: inout FixedText) -> Bool {
    guard let active = gate.confirmed else { return false }
    words.write(active, to: &text)
    return true
  }

  public func obey(_ command: Command) -> CommandAnswer {
    let word = command.payload.state
    let isPulse = pulse != nil && word.matches("PULSE")
    if command.mayBeRepeated, isPulse || word.matches("TOGGLE") {
      return .rejected(words.advice("may have been obeyed already: use ", between: " or ", ""))
    }
    guard let active = isPulse ? true : wanted(word) else {
      return .rejected(
        words.advice(
          "unknown payload: use ", between: ", ", pulse == nil ? " or TOGGLE" : ", TOGGLE or PULSE"))
    }
    let answer = gate.ask(active, for: command)
    if case .rejected = answer { return answer }
    isPulsing = isPulse
    timer?.cancel()
    if isPulse, gate.confirmed == true { begin() }
    return answer
  }

  private func wanted(_ word: FixedText) -> Bool? {
    words.state(word) ?? (word.matches("TOGGLE") ? !gate.isActive : nil)
  }

  /// The pulse lasts from when the output is on for certain, which takes a while behind a bus.
  private func begin() {
    guard let device, let pulse else { return }
    timer?.schedule(at: device.clock.now + pulse)
  }

  public func gateChanged(_ gate: SafetyGate) {
    guard isPulsing else { return }
    if gate.confirmed == true {
      begin()
    } else {
      isPulsing = false
      timer?.cancel()
    }
  }

  public func timerFired(_ timer: DeviceTimer, now: Instant) {
    // `gateChanged` ends it.
    _ = gate.ask(false, by: .module)
    if isPulsing { timer.schedule(at: now + Relay.retry) }
  }
}
