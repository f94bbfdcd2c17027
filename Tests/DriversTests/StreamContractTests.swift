import Chips
import Drivers
import HAL
import Simulation
import Testing
import Units

/// A chip that talks on a serial line, and what it is to say. The chip's own file in `Chips/` says so.
protocol StreamPromises: SensorFacts {
  /// What it is like around it in the tests.
  static var air: Air { get }
  /// How long after the first measurement values are warming up.
  static var warmUp: Duration { get }
}

extension StreamChip {
  /// Every chip that talks on a serial line.
  static let all: [StreamChip] = {
    var chips = StreamChipCollector()
    forEachChip(&chips)
    return chips.chips
  }()
}

private struct StreamChipCollector: ChipVisitor {
  var chips: [StreamChip] = []

  mutating func sensor<Driver: StreamSensor, Model: StreamModel & SensorModel>(
    _ driver: Driver.Type, _ model: Model.Type
  ) {
    guard let promises = driver as? any StreamPromises.Type else { return }
    chips.append(
      StreamChip(driver, in: promises.air, warmUp: promises.warmUp) { Model(environment: $0, clock: $1) })
  }
}

/// One chip on a serial line: its driver, its model, and what it is to say in the given air.
struct StreamChip: CustomTestStringConvertible, Sendable {
  let name: String
  let shortestPeriod: Duration
  let longestSilence: Duration
  let channels: [Channel]
  /// How long after the first measurement values are warming up.
  let warmUp: Duration
  let air: Air
  let makeBench: @Sendable (Environment) -> StreamBench

  var testDescription: String { name }

  init<Driver: StreamSensor>(
    _ driver: Driver.Type, in air: Air, warmUp: Duration,
    model: @escaping @Sendable (Environment, any MonotonicClock) -> any StreamModel
  ) {
    name = Driver.name.description
    shortestPeriod = Driver.shortestPeriod
    longestSilence = Driver.longestSilence
    var channels: [Channel] = []
    Driver.forEachChannel { channels.append($0) }
    self.channels = channels
    self.warmUp = warmUp
    self.air = air
    makeBench = { environment in
      for value in air.values { environment.set(value.quantity, thousandths: value.thousandths) }
      return StreamBench(Driver()) { model(environment, $0) }
    }
  }
}

/// A driver with the model of its chip on a serial line.
final class StreamBench {
  typealias Result = (measured: [[Reading]], errors: [SensorError])

  let clock = VirtualClock()
  let stream: SimulatedByteStream
  let ask: () throws(SensorError) -> Void
  let feed: ([UInt8]) -> Result

  init<Driver: StreamSensor>(_ driver: Driver, _ model: (any MonotonicClock) -> any StreamModel) {
    let clock = clock
    let stream = SimulatedByteStream(model(clock), clock: clock)
    self.stream = stream
    var sensor = driver
    ask = { () throws(SensorError) in try sensor.ask(stream, at: clock.now) }
    feed = { bytes in
      var result: Result = ([], [])
      for byte in bytes {
        do throws(SensorError) {
          if let measurement = try sensor.receive(byte, at: clock.now) {
            result.measured.append(readings(measurement))
          }
        } catch {
          result.errors.append(error)
        }
      }
      return result
    }
  }

  /// Asks, and what the chip sends in the time after that.
  func message(within silence: Duration) throws -> [UInt8] {
    try ask()
    clock.advance(by: silence)
    var bytes: [UInt8] = []
    while let byte = stream.model?.next() { bytes.append(byte) }
    return bytes
  }
}

/// What every driver of a chip on a serial line promises.
@Suite struct StreamContractTests {
  /// A bench past the warm-up, and a message of its chip.
  func warmBench(_ chip: StreamChip) throws -> (StreamBench, message: [UInt8]) {
    let bench = chip.makeBench(Environment())
    for _ in 0...chip.warmUp.milliseconds / 2_500 + 1 {
      _ = bench.feed(try bench.message(within: .milliseconds(2_500)))
    }
    return (bench, try bench.message(within: chip.longestSilence))
  }

  func agree(_ readings: [Reading]?, _ chip: StreamChip) -> Bool {
    guard let readings, readings.count == chip.channels.count else { return false }
    return zip(readings, chip.channels).allSatisfy { reading, channel in
      reading.quality == .good && reading.value == chip.air[channel.quantity, channel.key] / 1_000
    }
  }

  @Test(
    "a measurement comes in the time the driver gives it, and is what the air is", arguments: StreamChip.all)
  func measures(chip: StreamChip) throws {
    let (bench, message) = try warmBench(chip)
    let result = bench.feed(message)
    #expect(result.measured.count == 1 && result.errors.isEmpty)
    #expect(agree(result.measured.last, chip))
  }

  @Test("until it is warm a chip's values say so", arguments: StreamChip.all)
  func warmsUp(chip: StreamChip) throws {
    let bench = chip.makeBench(Environment())
    let first = bench.feed(try bench.message(within: chip.longestSilence)).measured.last
    #expect(first?.allSatisfy { $0.quality == .warmingUp } == true)
  }

  @Test("any wrong bit costs one message at most and yields no value", arguments: StreamChip.all)
  func wrongBits(chip: StreamChip) throws {
    let (bench, message) = try warmBench(chip)
    for bit in 0..<message.count * 8 {
      var damaged = message
      damaged[bit / 8] ^= 0x80 >> UInt8(bit % 8)
      #expect(bench.feed(damaged).measured.isEmpty, "\(bit)")
      #expect(agree(bench.feed(message + message).measured.last, chip), "after \(bit)")
    }
  }

  @Test(
    "a start in the middle, and bytes between messages, cost no message after them", arguments: StreamChip.all
  )
  func resynchronizes(chip: StreamChip) throws {
    let (bench, message) = try warmBench(chip)
    let noise: [[UInt8]] = [
      [], [message[0]], [message[0], message[0]], Array(message[0...1]), [0x00, 0xFF, 0x0A],
    ]
    for skipped in 0..<message.count {
      for between in noise {
        let result = bench.feed(message.dropFirst(skipped) + between + message)
        #expect(agree(result.measured.last, chip), "\(skipped) \(between)")
      }
    }
  }

  @Test("a stream that takes nothing is reported, and so is silence: by nothing", arguments: StreamChip.all)
  func faults(chip: StreamChip) throws {
    let bench = chip.makeBench(Environment())
    bench.stream.fault = .noController
    #expect(throws: SensorError.bus(.noController)) { try bench.ask() }
    bench.stream.fault = nil
    bench.stream.model = nil
    #expect(try bench.message(within: .seconds(60)).isEmpty)
  }

  @Test("a million bytes of noise crash nothing", arguments: StreamChip.all)
  func noise(chip: StreamChip) throws {
    let (bench, message) = try warmBench(chip)
    var random = Xorshift(seed: 5)
    var measured = 0
    for _ in 0..<1_000_000 / message.count {
      let bytes = random.next() % 2 == 0 ? message : message.map { _ in random.byte() }
      measured += bench.feed(bytes).measured.count
    }
    #expect(measured > 0)
  }

  @Test("no chip has more channels than a measurement has room for, and it can be asked as often as it says")
  func facts() {
    for chip in StreamChip.all {
      #expect(!chip.channels.isEmpty && chip.channels.count <= Sensors.maximumChannels)
      #expect(Set(chip.channels.map(\.name.description)).count == chip.channels.count)
      #expect(chip.longestSilence < chip.shortestPeriod)
    }
  }
}
