import DeviceRuntime
import HAL

/// A relay (or anything else that is on or off): obeys `ON`, `OFF` and `TOGGLE`, and reports `ON` or `OFF`.
///
///     - relay: fan
///       line: GPIO5
///       active: low
///       safety: { start: off, stop: off, broker_lost: { after: 60s, then: off }, max_on: 30min }
public final class Relay: Module, SafetyGateOwner {
  public static var kind: ModuleKind { ModuleKind("relay") { Relay(name: $0.name, gate: $0.gate()) } }

  public let name: String
  public let entities = [
    Entity(.switch, access: [.state, .command], words: "ON|OFF", commands: "ON|OFF|TOGGLE")
  ]
  private let gate: SafetyGate
  private var device: Device?

  public init(name: String, gate: SafetyGate) {
    self.name = name
    self.gate = gate
  }

  public func start(on device: Device) {
    self.device = device
    gate.start(on: device, owner: self)
  }

  public func write(_ entity: Int, to text: inout FixedText) -> Bool {
    text.append(gate.isActive ? "ON" : "OFF")
    return true
  }

  public func obey(_ command: Command) -> CommandAnswer {
    if command.mayBeRepeated, command.payload.matches("TOGGLE") {
      return .rejected("may have been obeyed already: use ON or OFF")
    }
    guard let active = wanted(command.payload) else {
      return .rejected("unknown payload: use ON, OFF or TOGGLE")
    }
    do {
      try gate.set(active: active)
    } catch {
      let reason = error.text
      device?.setError(reason, of: self)
      return .rejected(reason)
    }
    device?.setError("", of: self)
    device?.changed(self)
    return .accepted
  }

  public func brokerConnected() {
    gate.brokerConnected()
  }

  public func brokerDisconnected() {
    gate.brokerDisconnected()
  }

  public func stop() {
    do {
      try gate.stop()
      device?.changed(self)
    } catch {
      device?.setError(error.text, of: self)
    }
  }

  public func safetyActed(_ cause: SafetyCause) {
    device?.setError("", of: self)
    device?.changed(self)
    device?.report("safety", reason: cause.text(gate.policy), of: self)
  }

  public func safetyFailed(_ error: LineError) {
    device?.setError(error.text, of: self)
  }

  private func wanted(_ payload: FixedText) -> Bool? {
    if payload.matches("ON") || payload.matches("1") || payload.matches("true") { return true }
    if payload.matches("OFF") || payload.matches("0") || payload.matches("false") { return false }
    if payload.matches("TOGGLE") { return !gate.isActive }
    return nil
  }
}

extension SafetyCause {
  /// What a gate did and why, in a person's words.
  func text(_ policy: SafetyPolicy) -> FixedText {
    var text = FixedText()
    switch self {
    case .maxOn:
      text.append("switched off: on for max_on")
      if let maxOn = policy.maxOn {
        text.append(" = ")
        text.append(maxOn)
      }
    case .brokerLost:
      text.append(policy.brokerLost?.then == true ? "switched on: " : "switched off: ")
      text.append("the broker has been away for ")
      text.append(policy.brokerLost?.after ?? .zero)
    }
    return text
  }
}
