import Boards
import DeviceFile
import DeviceRuntime
import Drivers
import Expanders
import HAL

/// A chip that gives more outputs: `relays.0`, `relays.1` … are lines for other modules then. What it cannot promise,
/// `swiftletd check` says; with an `enable` line it can promise what a line of the board can.
///
///     - expander: relays
///       driver: MCP23017
///       bus: i2c-1
///       address: 0x20
///       enable: { line: GPIO17, active: low }
///       bus_lost: 2s
///     - relay: fan
///       line: relays.3
public final class Expander: Module, ExpanderObserver {
  public static func kind(_ chips: [ExpanderKind]) -> ModuleKind {
    ModuleKind("expander", chips: chips.map { $0.name }) { Expander($0, chips) }
  }

  public let name: String
  private let target: TargetClaim
  private let port: ExpanderPort?
  private var device: Device?

  private init(_ file: ModuleFile, _ chips: [ExpanderKind]) {
    name = file.name
    let chip = file.driver(among: chips.map { $0.name }, parts: chips.map { $0.parts }).map { chips[$0] }
    target = file.target(
      chip: chip?.name ?? "", usual: chip?.defaultAddress, allows: { chip?.allows($0) ?? false })
    let enable = file.fields.mapping("enable", example: "{ line: GPIO17, active: low }").map {
      file.enable($0)
    }
    var timing = ExpanderTiming()
    if let lost = file.fields.optional("bus_lost")?.duration(atLeast: .milliseconds(100)) {
      timing.lostAfter = lost
    }
    guard let chip else {
      port = nil
      file.add(ExpanderClaim(ofUnknownChip: file.claimant, target))
      return
    }
    let port = chip.make(target, target, enable, timing)
    self.port = port
    file.add(
      ExpanderClaim(
        file.claimant, target, enable: enable, pinNames: chip.pinNames, pin: { chip.pin($0) },
        powerUpProblem: { chip.powerUpProblem(activeLow: $0, startsActive: $1).map { "\($0.string)" } },
        promise: "\(ExpanderKind.promise(isEnabledByLine: enable != nil, timing: timing).string)",
        output: { pin, claim throws(LineError) in
          try port.output(pin, activeLow: claim.activeLow, startsActive: claim.startsActive)
        }, begin: { port.open() }))
  }

  public func start(on device: Device) {
    self.device = device
    port?.observer = self
    port?.start(on: device)
  }

  /// After the outputs have been given their stop levels.
  public func stop() { port?.stop() }

  public func expanderChanged(to state: ExpanderState) {
    guard let device else { return }
    switch state {
    case .holding: device.setError("", of: self)
    case .restored:
      device.setError("", of: self)
      device.report(
        "restored", reason: "the chip had lost its power or settings: its outputs are set again", of: self)
    case .failing(let error), .lost(let error):
      device.setError(text(error), of: self)
    }
  }

  public func expanderFailed(_ error: LineError) {
    device?.debug(FixedText(name), text(error))
  }

  private func text(_ error: LineError) -> FixedText {
    guard case .bus(let error) = error, let bus = target.bus else { return error.text }
    let place = SensorPlace(bus: bus.device, address: target.address, enableHint: bus.enableHint)
    return SensorError.bus(error).text(place)
  }
}
