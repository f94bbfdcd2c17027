import Boards
import CLinux
import DeviceFile
import DeviceRuntime
import Expanders
import HAL
import LinuxBoard
import LinuxPlatform

/// The machine's GPIO lines.
public final class LinuxLineProvider: LineProvider {
  private let loop: EventLoop
  /// Lines that a queue drives: the device starts them.
  public private(set) var queued: [any DevicePart] = []
  private var threads: [(chip: String, thread: WorkerThread)] = []

  public init(loop: EventLoop) {
    self.loop = loop
  }

  /// Chips that are behind a bus come last, because their request waits for the bus.
  public func open(_ outputs: [OutputClaim], _ problems: inout [HardwareError]) {
    request(outputs.filter { $0.line?.isSlow != true }, &problems)
    request(outputs.filter { $0.line?.isSlow == true }, &problems)
  }

  private func request(_ outputs: [OutputClaim], _ problems: inout [HardwareError]) {
    var requests: [OutputRequest] = []
    for output in outputs {
      guard let line = output.line else { return problems.append(LinuxLineProvider.missing(output)) }
      requests.append(
        OutputRequest(
          chip: line.chip, names: line.kernelNames, user: output.claimant.name, activeLow: output.activeLow,
          startsActive: output.startsActive))
    }
    do throws(OutputRequestError) {
      let lines = try LinuxOutputLines.request(requests, program: "swiftletd")
      for (index, line) in lines.enumerated() { opened(line, outputs[index], &problems) }
    } catch {
      for problem in error.problems {
        let output = outputs[problem.index]
        guard let line = output.line else { continue }
        problems.append(
          HardwareError("\(output.claimant.title): \(problem.cause.text(line, holder: problem.holder))"))
      }
    }
  }

  private func opened(_ line: LinuxOutputLine, _ output: OutputClaim, _ problems: inout [HardwareError]) {
    guard let description = output.line, description.isSlow else { return output.opened(line) }
    do throws(SystemError) {
      let queuedLine = QueuedOutputLine(line, queue: try thread(description.chip))
      queued.append(queuedLine)
      output.opened(queuedLine)
    } catch {
      problems.append(HardwareError("\(output.claimant.title): no thread: \(error.message)"))
    }
  }

  /// One for all lines of a chip, which are one request.
  private func thread(_ chip: String) throws(SystemError) -> WorkerThread {
    for entry in threads where entry.chip.equals(chip) { return entry.thread }
    let thread = try WorkerThread(loop: loop)
    threads.append((chip, thread))
    return thread
  }

  public func open(_ input: InputClaim) throws(HardwareError) {
    input.opened(
      try request(input) { address throws(LineError) in
        try LinuxInputLine(
          address, consumer: LinuxLineProvider.consumer(input), activeLow: input.activeLow,
          pull: input.pull.linuxPull, debounce: input.debounce, loop: loop)
      })
  }

  /// Kernels name lines differently: takes the first of the names that is there.
  private func request<Line>(
    _ claim: LineClaim, _ open: (LineAddress) throws(LineError) -> Line
  ) throws(HardwareError) -> Line {
    guard let line = claim.line else { throw LinuxLineProvider.missing(claim) }
    for name in line.kernelNames {
      let address = LineAddress(chip: line.chip, line: name)
      do throws(LineError) {
        return try open(address)
      } catch .noSuchLine {
        continue
      } catch {
        throw HardwareError("\(claim.claimant.title): \(error.text(line, holder: address.consumer))")
      }
    }
    throw HardwareError("\(claim.claimant.title): \(LineError.noSuchLine.text(line, holder: nil))")
  }

  private static func missing(_ claim: LineClaim) -> HardwareError {
    HardwareError("\(claim.claimant.title): the board has no line \(claim.name.quoted)")
  }

  /// What `gpioinfo` shows as the line's consumer.
  private static func consumer(_ claim: LineClaim) -> String { "swiftletd " + claim.claimant.name }
}

extension LinePull {
  fileprivate var linuxPull: LinuxBoard.Pull {
    switch self {
    case .up: .up
    case .down: .down
    case .unpulled: .asIs
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
