import Boards
import DeviceFile
import DeviceRuntime
import Drivers
import HAL
import Units

/// A chip that a program can measure with: everything but the way to it stands in its driver.
public struct SensorChip {
  /// What a device file calls it.
  public let name: String
  let parts: String
  let usualAddress: UInt8
  let shortestPeriod: Duration
  let identity: RegisterIdentity?
  let allows: (UInt8) -> Bool
  let probe: (TargetClaim) -> any SensorProbe

  public init<Chip: I2CSensor>(_ chip: Chip.Type) {
    name = Chip.name.description
    parts = Chip.parts.description
    usualAddress = Chip.usualAddress
    shortestPeriod = Chip.shortestPeriod
    identity = Chip.identity
    allows = { Chip.allows($0) }
    probe = { DriverProbe(Chip($0), queue: $0) }
  }
}

/// Stands in for a chip that the device file does not name rightly; nobody measures with it.
final class NoProbe: SensorProbe {
  var owner: (any SensorProbeOwner)?
  let channels: [Channel] = []
  let outcome = ProbeOutcome.failed(.notReady)

  func start() {}
  func collect() {}
}
