import HAL
import Units

/// A PMS5003 in the simulated air: a frame every second in active mode, one when asked in passive mode, sleep and
/// wake-up. Particle counts are zero.
///
/// Source: Plantower *PMS5003 series data manual*, V2.3: appendix I "Transport Protocol—Active Mode", appendix II
/// "Transport Protocol—Passive Mode".
public final class PMS5003Model: StreamModel, SensorModel {
  private let environment: Environment
  private let clock: any MonotonicClock
  private var nextFrame: Instant
  private var frame: [UInt8] = []
  private var sent = 0
  private var command: [UInt8] = []
  public private(set) var isAsleep = false
  public private(set) var isPassive = false
  /// What the frames' error byte holds.
  public var errorCode: UInt8 = 0

  public init(environment: Environment, clock: any MonotonicClock) {
    self.environment = environment
    self.clock = clock
    nextFrame = clock.now + .seconds(1)
  }

  public func receive(_ byte: UInt8) {
    command.append(byte)
    if command.count == 1, byte != 0x42 { command.removeAll() }
    guard command.count == 7 else { return }
    let sum = command[..<5].reduce(0) { $0 + UInt16($1) }
    if command[1] == 0x4D, sum == UInt16(command[5]) << 8 | UInt16(command[6]) {
      obey(command[2], command[4])
    }
    command.removeAll()
  }

  /// Nil until the next frame is due. What was due while nobody took it is lost.
  public func next() -> UInt8? {
    if sent == frame.count {
      guard !isAsleep, !isPassive, clock.now >= nextFrame else { return nil }
      while nextFrame <= clock.now { nextFrame = nextFrame + .seconds(1) }
      compose()
    }
    sent += 1
    return frame[sent - 1]
  }

  private func obey(_ command: UInt8, _ argument: UInt8) {
    switch command {
    case 0xE1: isPassive = argument == 0
    case 0xE2 where isPassive && !isAsleep: compose()
    case 0xE4: isAsleep = argument == 0
    default: return
    }
    nextFrame = clock.now + .seconds(1)
  }

  /// Start characters, the length of what follows, thirteen words of data, and the sum of all before it.
  private func compose() {
    let masses = [Quantity.pm1, .pm25, .pm10].map {
      UInt16(min(max((environment.thousandths(of: $0) + 500) / 1_000, 0), 65_535))
    }
    let words = masses + masses + [0, 0, 0, 0, 0, 0, 0x9700 | UInt16(errorCode)]
    frame = [0x42, 0x4D, 0, 28]
    for word in words { frame += [UInt8(word >> 8), UInt8(word & 0xFF)] }
    let sum = frame.reduce(0) { $0 + UInt16($1) }
    frame += [UInt8(sum >> 8), UInt8(sum & 0xFF)]
    sent = 0
  }
}
