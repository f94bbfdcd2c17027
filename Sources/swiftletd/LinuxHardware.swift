import CLinux
import Configuration
import HAL
import LinuxPlatform

/// The board's own lines and buses.
final class LinuxHardware: Hardware {
  private let loop: EventLoop
  private let threads: BusThreads
  private var buses: [(name: String, bus: LinuxI2CBus)] = []

  init(loop: EventLoop) {
    self.loop = loop
    threads = BusThreads(loop: loop)
  }

  func output(_ line: LineDescription, for relay: RelayDescription) throws(HardwareError) -> any OutputLine {
    try request(line, "relay '\(relay.name)'") { address throws(LineError) in
      try LinuxOutputLine(
        address, consumer: LinuxHardware.consumer(relay.name), activeLow: relay.activeLow,
        startsActive: relay.safety.start)
    }
  }

  func input(_ line: LineDescription, for button: ButtonDescription) throws(HardwareError) -> any InputLine {
    try request(line, "button '\(button.name)'") { address throws(LineError) in
      try LinuxInputLine(
        address, consumer: LinuxHardware.consumer(button.name), activeLow: button.activeLow,
        pull: button.linuxPull, debounce: .milliseconds(button.debounceMilliseconds), loop: loop)
    }
  }

  func device(_ bus: BusDescription, for sensor: SensorDescription, driver: DriverCatalog) -> any I2CDevice {
    for entry in buses where entry.name.isSame(as: bus.name) { return entry.bus.device(at: sensor.address) }
    let linuxBus = LinuxI2CBus(path: bus.device)
    buses.append((bus.name, linuxBus))
    return linuxBus.device(at: sensor.address)
  }

  func queue(_ bus: BusDescription) throws(HardwareError) -> any WorkQueue {
    try threads.queue(bus)
  }

  /// Kernels name lines differently: takes the first of the names that is there.
  private func request<Line>(
    _ line: LineDescription, _ user: Message, _ open: (LineAddress) throws(LineError) -> Line
  ) throws(HardwareError) -> Line {
    var failure = LineError.noSuchLine
    for name in line.kernelNames {
      let address = LineAddress(chip: line.chip, line: name)
      do throws(LineError) {
        return try open(address)
      } catch .noSuchLine {
        continue
      } catch {
        failure = error
        throw HardwareError(text: "\(user): \(failure.text(line, holder: address.consumer))")
      }
    }
    throw HardwareError(text: "\(user): \(failure.text(line, holder: nil))")
  }

  /// What `gpioinfo` shows as the line's consumer.
  private static func consumer(_ module: String) -> String { "swiftletd " + module }
}

extension ButtonDescription {
  fileprivate var linuxPull: LinuxPlatform.Pull {
    switch pull {
    case .up: .up
    case .down: .down
    case .none: .asIs
    }
  }
}

extension LineError {
  /// Cause and remedy for a line that could not be requested.
  fileprivate func text(_ line: LineDescription, holder: String?) -> Message {
    switch self {
    case .chipGone:
      "there is no GPIO chip labelled '\(line.chip)' for line \(line.name): is 'board' the right one? (gpiodetect lists the chips)"
    case .noSuchLine:
      "chip '\(line.chip)' has no line \(line.name) (gpioinfo lists the lines)"
    case .busy:
      "line \(line.name) is held by '\(holder ?? "another program")': stop that program or choose another line"
    case .bus:
      "line \(line.name) cannot be reached: its bus fails"
    case .notHeld:
      "line \(line.name) cannot be used: its chip does not keep the level"
    case .system(EACCES), .system(EPERM):
      "the GPIO chips may not be opened: add the user to the group gpio (sudo usermod -aG gpio USER)"
    case .system(let number):
      "line \(line.name) cannot be used: \(SystemError(number: number).message)"
    }
  }
}
