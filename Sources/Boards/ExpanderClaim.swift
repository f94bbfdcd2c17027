import DeviceFile
import HAL

/// A chip on a bus whose pins are lines for outputs: `relays.3` is pin 3 of the expander `relays`. Whoever reads its
/// entry says here what the check and the opening need of it.
public final class ExpanderClaim {
  public let claimant: Claimant
  public let target: TargetClaim
  /// The board's line that lets its outputs through, if there is one.
  public let enable: OutputClaim?
  /// What the chip calls its pins, in their order.
  public let pinNames: [String]
  /// The pin of a name or number.
  let pin: (_ name: String) -> Int?
  /// Why an output would be on before the first transfer; nil: it is not.
  let powerUpProblem: (_ activeLow: Bool, _ startsActive: Bool) -> Message?
  /// What cannot be promised of its outputs.
  public let promise: Message
  let output: (_ pin: Int, OutputClaim) throws(LineError) -> any OutputLine
  /// Makes the first transfer, once all outputs have been taken.
  let begin: () -> Void

  public init(
    _ claimant: Claimant, _ target: TargetClaim, enable: OutputClaim?, pinNames: [String],
    pin: @escaping (String) -> Int?,
    powerUpProblem: @escaping (Bool, Bool) -> Message?, promise: Message,
    output: @escaping (Int, OutputClaim) throws(LineError) -> any OutputLine, begin: @escaping () -> Void
  ) {
    self.claimant = claimant
    self.target = target
    self.enable = enable
    self.pinNames = pinNames
    self.pin = pin
    self.powerUpProblem = powerUpProblem
    self.promise = promise
    self.output = output
    self.begin = begin
  }

  /// So that nothing is said of its pins: what it is has been asked for in vain, and that was reported.
  public convenience init(ofUnknownChip claimant: Claimant, _ target: TargetClaim) {
    self.init(
      claimant, target, enable: nil, pinNames: [], pin: { _ in nil }, powerUpProblem: { _, _ in nil },
      promise: "",
      output: { _, _ throws(LineError) in throw .noSuchLine }, begin: {})
  }

  /// What follows `relays.` in a line's name; nil: the name is of another expander, or of no one's.
  func pinName(in line: String) -> String? {
    let bytes = line.bytes
    let prefix = (claimant.name + ".").bytes
    guard bytes.count > prefix.count, bytes.begins(with: prefix, at: 0) else { return nil }
    return line.dropFirstBytes(prefix.count)
  }
}

extension BoardCheck {
  /// Finds the pin that a claim names; false: it names no expander's.
  func findPin(of claim: LineClaim) -> Bool {
    for expander in claims.expanders {
      guard let name = expander.pinName(in: claim.name) else { continue }
      guard let pin = expander.pin(name) else {
        let names = expander.pinNames
        // What chip it is is not known, which has been reported.
        if names.isEmpty { return true }
        let last: Message = "its pins are 0…\(names.count - 1), or \(names.first ?? "")…\(names.last ?? "")"
        problems.report(claim.mark, "\(expander.claimant.title) has no pin \(name.quoted)", last)
        return true
      }
      claim.pin = LineClaim.Pin(expander: expander, number: pin)
      return true
    }
    return false
  }

  /// What an expander's pin cannot do.
  func checkPins() {
    for input in claims.inputs where input.pin != nil {
      problems.report(
        input.mark, "\(input.name) is a pin of an expander, which can only be an output yet",
        "use a line of the board")
    }
    for output in claims.outputs {
      guard let expander = output.pin?.expander else { continue }
      if output === expander.enable {
        problems.report(output.mark, "an expander cannot switch itself on", "use a line of the board")
      } else if let problem = expander.powerUpProblem(output.activeLow, output.startsActive) {
        problems.report(output.mark, problem)
      }
    }
  }
}
