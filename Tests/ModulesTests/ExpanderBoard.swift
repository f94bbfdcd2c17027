import DeviceBench
import DeviceRuntime
import Drivers
import Expanders
import HAL
import Modules
import Simulation

/// A device with an MCP23017, on a virtual clock.
final class ExpanderBoard {
  let clock = VirtualClock()
  let queue = SimulatedWorkQueue()
  let model = MCP23017Model()
  let target: SimulatedI2CTarget
  let enable: SimulatedOutputLine?
  let port: ExpanderPort
  let lines: [ExpanderOutputLine]
  let watchers: [LineWatcher]
  let states = StateWatcher()
  let bench: DeviceBench
  /// What its pins showed, change by change.
  private(set) var shown: [PinLevels] = []

  struct Output {
    var pin: Int
    var activeLow = false
    var start = false
  }

  /// `relays` makes modules of the lines; then nobody watches these.
  init(
    _ outputs: [Output] = [Output(pin: 0)], isEnabledByLine: Bool = false,
    timing: ExpanderTiming = ExpanderTiming(),
    before: (MCP23017Model, SimulatedI2CTarget) throws -> Void = { _, _ in },
    relays: ([ExpanderOutputLine]) -> [any Module] = { _ in [] }
  ) throws {
    let bus = SimulatedI2CBus()
    target = bus.attach(model, at: 0x20)
    enable = isEnabledByLine ? SimulatedOutputLine(startsActive: false) : nil
    port = ExpanderPort(
      MCP23017(bus.device(at: 0x20)), queue: queue, enable: enable, timing: timing)
    let port = port
    lines = try outputs.map { try port.output($0.pin, activeLow: $0.activeLow, startsActive: $0.start) }
    try before(model, target)
    watchers = lines.map { LineWatcher($0) }
    let modules = relays(lines)
    if modules.isEmpty { for watcher in watchers { watcher.line.observer = watcher } }
    port.observer = states
    bench = try DeviceBench.make(modules, clock: clock, queue: queue)
    model.pins.changed = { [unowned self] in shown.append($0) }
  }

  func start() {
    port.open()
    port.start(on: bench.device)
    bench.start()
  }

  /// What the chip drives: the pins, and those of them that are high.
  var pins: PinLevels { model.pins.now }
}

/// Notes what an output line tells.
final class LineWatcher: OutputLineObserver {
  let line: any OutputLine
  private(set) var events: [String] = []

  init(_ line: any OutputLine) {
    self.line = line
  }

  func outputDriven() { events.append("driven \(line.level == .driven(true) ? "on" : "off")") }
  func outputFailed(_ error: LineError) { events.append("\(error)") }

  /// What it told since the last call.
  func news() -> [String] {
    defer { events = [] }
    return events
  }
}

/// Notes how an expander fares.
final class StateWatcher: ExpanderObserver {
  private(set) var states: [ExpanderState] = []

  func expanderFailed(_ error: LineError) {}
  func expanderChanged(to state: ExpanderState) { states.append(state) }

  /// What it told since the last call.
  func news() -> [ExpanderState] {
    defer { states = [] }
    return states
  }
}

/// A transfer of somebody else on the same bus.
final class OtherWork: Work {
  var performed: () -> Void

  init(_ performed: @escaping () -> Void = {}) {
    self.performed = performed
  }

  func perform() { performed() }
  func completed() {}
}
