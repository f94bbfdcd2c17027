import DeviceFile
import HAL

/// What stands in the way of a module.
public struct HardwareError: Error {
  public let text: Message

  public init(_ text: Message) { self.text = text }
}

/// Where lines come from: the kernel, or models of them.
public protocol LineProvider: AnyObject {
  /// Requests output lines, all of one chip in one request, so that their start levels come at the same instant.
  /// What stands in the way of one is added to `problems`.
  func open(_ outputs: [OutputClaim], _ problems: inout [HardwareError])

  func open(_ input: InputClaim) throws(HardwareError)
}

/// Where the targets of I2C buses come from. A bus that is not there is no error yet: its targets say so when they
/// are spoken to, and work once it is there.
public protocol I2CProvider: AnyObject {
  func open(_ target: TargetClaim, on bus: BusDescription) throws(HardwareError)
}

/// What a program can open: what its composition root leaves out is not in the program.
open class Hardware {
  public var lines: (any LineProvider)?
  public var i2c: (any I2CProvider)?

  public init() {}

  /// Opens all that was claimed, outputs first: they get their start levels before anything else takes time.
  /// Everything that stands in the way is told, or nothing did.
  public func open(_ claims: Claims) -> [HardwareError] {
    var problems: [HardwareError] = []
    let outputs = claims.outputs.filter { $0.pin == nil }
    if let first = outputs.first {
      if let lines {
        lines.open(outputs, &problems)
      } else {
        problems.append(Hardware.missing("lines", first.claimant))
      }
    }
    for input in claims.inputs {
      do throws(HardwareError) { try open(input) } catch { problems.append(error) }
    }
    for target in claims.targets {
      do throws(HardwareError) { try open(target) } catch { problems.append(error) }
    }
    // What is behind a bus comes when its bus is there.
    for output in claims.outputs where output.pin != nil {
      do throws(HardwareError) { try openPin(output) } catch { problems.append(error) }
    }
    if problems.isEmpty {
      for expander in claims.expanders { expander.begin() }
    }
    return problems
  }

  private func open(_ input: InputClaim) throws(HardwareError) {
    guard let lines else { throw Hardware.missing("lines", input.claimant) }
    try lines.open(input)
  }

  private func open(_ target: TargetClaim) throws(HardwareError) {
    guard let i2c else { throw Hardware.missing("I2C", target.claimant) }
    guard let bus = target.bus else {
      throw HardwareError("\(target.claimant.title): the board has no bus \(target.busName.quoted)")
    }
    try i2c.open(target, on: bus)
  }

  private func openPin(_ output: OutputClaim) throws(HardwareError) {
    guard let pin = output.pin else { return }
    do throws(LineError) {
      output.opened(try pin.expander.output(pin.number, output))
    } catch {
      throw HardwareError(
        "\(output.claimant.title): \(pin.expander.claimant.title) refuses pin \(pin.number)")
    }
  }

  private static func missing(_ what: String, _ claimant: Claimant) -> HardwareError {
    HardwareError("\(claimant.title): this program was built without \(what)")
  }
}
