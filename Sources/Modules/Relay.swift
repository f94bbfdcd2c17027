import DeviceRuntime

/// A relay (or anything else that is on or off): obeys `ON`, `OFF` and `TOGGLE`, and reports `ON` or `OFF`.
///
///     - relay: fan
///       line: GPIO5
///       active: low
///       safety: { start: off, stop: off, broker_lost: { after: 60s, then: off }, max_on: 30min }
public final class Relay: Module {
  public static var kind: ModuleKind { ModuleKind("relay") { Relay(name: $0.name, gate: $0.gate()) } }

  public let name: String
  public let entities = [
    Entity(.switch, access: [.state, .command], words: "ON|OFF", commands: "ON|OFF|TOGGLE")
  ]
  let gate: SafetyGate

  public init(name: String, gate: SafetyGate) {
    self.name = name
    self.gate = gate
  }

  public func start(on device: Device) {
    gate.start(on: device, for: self)
  }

  public func write(_ entity: Int, to text: inout FixedText) -> Bool {
    guard let active = gate.confirmed else { return false }
    text.append(active ? "ON" : "OFF")
    return true
  }

  public func obey(_ command: Command) -> CommandAnswer {
    if command.mayBeRepeated, command.payload.state.matches("TOGGLE") {
      return .rejected("may have been obeyed already: use ON or OFF")
    }
    guard let active = wanted(command.payload.state) else {
      return .rejected("unknown payload: use ON, OFF or TOGGLE")
    }
    return gate.ask(active, for: command)
  }

  private func wanted(_ payload: FixedText) -> Bool? {
    if payload.matches("ON") || payload.matches("1") || payload.matches("true") { return true }
    if payload.matches("OFF") || payload.matches("0") || payload.matches("false") { return false }
    if payload.matches("TOGGLE") { return !gate.isActive }
    return nil
  }
}
