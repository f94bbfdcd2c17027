import Boards
import DeviceFile

/// What is wired to a board, for a device that is put together in Swift: lines and buses by the names that the kernel
/// gives them. No device file and no board file stands behind it, so what reads them is not in the program; nor is
/// what checks them: two users of one line are found when it is opened.
public final class Wiring {
  public let claims = Claims()

  public init() {}

  /// A relay's way to its output, behind a gate. `user` is the module's name; `chip` the label that `gpiodetect` shows,
  /// `line` the name that `gpioinfo` shows.
  public func gate(
    _ user: String, chip: String, line: String, activeLow: Bool = false,
    safety: SafetyPolicy = SafetyPolicy()
  ) -> SafetyGate {
    let claimant = claimant("output", user)
    let claim = OutputClaim(
      claimant, name: line, mark: claimant.mark, activeLow: activeLow, startsActive: safety.start)
    claim.find(chip: chip, line: line)
    claims.add(claim)
    return SafetyGate(line: claim, policy: safety)
  }

  /// A line that is read.
  public func input(
    _ user: String, chip: String, line: String, activeLow: Bool = false, pull: LinePull = .unpulled,
    debounce: Duration = .milliseconds(30)
  ) -> InputClaim {
    let claimant = claimant("input", user)
    let claim = InputClaim(
      claimant, name: line, mark: claimant.mark, activeLow: activeLow, pull: pull, debounce: debounce)
    claim.find(chip: chip, line: line)
    claims.add(claim)
    return claim
  }

  /// A chip on an I2C bus, such as `SHT3x` at 0x44 on `/dev/i2c-1`.
  public func target(_ user: String, chip: String, bus: String, address: UInt8) -> TargetClaim {
    let claimant = claimant("chip", user)
    let claim = TargetClaim(
      claimant, chip: chip, bus: bus, at: claimant.mark, address: address, addressMark: claimant.mark)
    claim.find(device: bus)
    claims.add(claim)
    return claim
  }

  private func claimant(_ kind: String, _ name: String) -> Claimant {
    Claimant(mark: Mark(file: "the program"), kind: kind, name: name)
  }
}
