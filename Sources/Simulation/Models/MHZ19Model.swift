import HAL
import Units

/// An MH-Z19 in the simulated air: answers the question for the concentration, in the three minutes after power-up
/// with 410 ppm. Calibration and range are not modelled.
///
/// Source: Winsen *MH-Z19B User's Manual*: "Main parameters", "Commands", "Checksum calculation method".
public final class MHZ19Model: StreamModel, SensorModel {
  private let environment: Environment
  private let clock: any MonotonicClock
  private let isWarm: Instant
  private var command: [UInt8] = []
  private var answer: [UInt8] = []
  private var sent = 0

  public init(environment: Environment, clock: any MonotonicClock) {
    self.environment = environment
    self.clock = clock
    isWarm = clock.now + .seconds(180)
  }

  public func receive(_ byte: UInt8) {
    if command.isEmpty, byte != 0xFF { return }
    command.append(byte)
    guard command.count == 9 else { return }
    if command[1] == 0x01, command[2] == 0x86, Self.checksum(of: command) == command[8] { compose() }
    command.removeAll()
  }

  public func next() -> UInt8? {
    guard sent < answer.count else { return nil }
    sent += 1
    return answer[sent - 1]
  }

  private func compose() {
    let thousandths = clock.now < isWarm ? 410_000 : environment.thousandths(of: .co2)
    let ppm = UInt16(min(max((thousandths + 500) / 1_000, 0), 5_000))
    answer = [0xFF, 0x86, UInt8(ppm >> 8), UInt8(ppm & 0xFF), 0x3C, 0x04, 0, 0]
    answer.append(Self.checksum(of: answer))
    sent = 0
  }

  /// Bytes 1 to 7 added up, inverted, plus one.
  private static func checksum(of bytes: [UInt8]) -> UInt8 {
    ~bytes[1...7].reduce(0) { $0 &+ $1 } &+ 1
  }
}
