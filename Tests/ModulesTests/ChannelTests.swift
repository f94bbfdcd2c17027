import DeviceBench
import DeviceRuntime
import Drivers
import HAL
import Loopback
import Modules
import Simulation
import Testing
import Units

/// What a sensor publishes of channels that are in doubt, on whatever bus its chip is.
@Suite struct ChannelTests {
  let clock = VirtualClock()
  let queue = SimulatedWorkQueue()

  /// A sensor `air` on the bench, connected.
  func bench(_ probe: any SensorProbe, at place: SensorPlace, format: ReadingFormat = .plain) throws
    -> DeviceBench
  {
    let module = SensorModule(name: "air", probe: probe, at: place, every: .seconds(10), format: format)
    let bench = try DeviceBench.make([module], clock: clock, queue: queue)
    bench.start()
    return bench
  }

  /// What is new on topics of the sensor's values.
  func values(_ bench: DeviceBench) -> [Published] {
    bench.news().filter { $0.topic.hasPrefix("air/") && $0.topic != "air/error" }
  }

  @Test(
    "good and estimated values are published, missing ones and those of a chip that warms up are named",
    arguments: [
      (.good, .good, nil), (.good, .estimated, nil),
      (.good, .missing, "no value for y: target 0x1e on /dev/i2c-1 could not measure it"),
      (.warmingUp, .good, "no value yet for x: target 0x1e on /dev/i2c-1 is warming up"),
      (
        .missing, .warmingUp,
        "no value for x: target 0x1e on /dev/i2c-1 could not measure it; none yet for y: target 0x1e on /dev/i2c-1 is warming up"
      ),
      (.missing, .missing, "no value for x, y: target 0x1e on /dev/i2c-1 could not measure it"),
    ] as [(Quality, Quality, String?)])
  func qualities(x: Quality, y: Quality, error: String?) throws {
    let bench = try bench(
      DriverProbe(Compass(x, y), queue: queue), at: SensorPlace(bus: "/dev/i2c-1", address: 0x1E))
    var expected: [Published] = []
    if x.isPublished { expected.append(Published("air/x", "-0.123457")) }
    if y.isPublished { expected.append(Published("air/y", "48.000000")) }
    #expect(values(bench) == expected)
    #expect(bench.retained("air/error") == error)
  }

  @Test("as JSON a value says its quality when it is not good")
  func json() throws {
    let bench = try bench(
      DriverProbe(Compass(.good, .estimated), queue: queue),
      at: SensorPlace(bus: "/dev/i2c-1", address: 0x1E), format: .json)
    #expect(
      values(bench) == [
        Published("air/x", #"{"value":-0.123457}"#),
        Published("air/y", #"{"value":48.000000,"quality":"estimated"}"#),
      ])
  }

  @Test("a measurement has room for all channels a chip may have, and what is beyond is left out")
  func capacity() throws {
    #expect(Readings.capacity == Sensors.maximumChannels)
    let bench = try bench(
      DriverProbe(Centipede(), queue: queue), at: SensorPlace(bus: "/dev/i2c-1", address: 1))
    #expect(values(bench).count == Sensors.maximumChannels)
  }

  @Test("a chip on SPI publishes each input on its own topic, and one that is unplugged says so")
  func spi() throws {
    let device = SimulatedSPIDevice(MCP3008Model(environment: Environment((.voltage, 1_650))))
    let bench = try bench(DriverProbe(MCP3008(device), queue: queue), at: SensorPlace(bus: "/dev/spidev0.0"))
    #expect(values(bench) == (0..<8).map { Published("air/ch\($0)", "1.650") })
    device.inject(.absent)
    bench.run(for: .seconds(10))
    #expect(values(bench).isEmpty)
    #expect(
      bench.retained("air/error") == "the chip on /dev/spidev0.0 answered with values no such chip can have")
    device.inject(.hang)
    bench.run(for: .seconds(20))
    #expect(
      bench.retained("air/error") == "the chip on /dev/spidev0.0 cannot be reached: it did not answer in time"
    )
  }

  @Test("a chip of the kernel's publishes what its files say, and one that is gone says so")
  func kernelDevice() throws {
    let model = DS18B20Model(environment: Environment((.temperature, -10_125)))
    let device = SimulatedKernelDevice(model)
    let bench = try bench(DriverProbe(DS18B20(device), queue: queue), at: SensorPlace(bus: "28-0316a2794adc"))
    #expect(values(bench) == [Published("air/temperature", "-10.13")])
    device.model = nil
    bench.run(for: .seconds(10))
    #expect(values(bench).isEmpty)
    #expect(
      bench.retained("air/error")
        == "the chip on 28-0316a2794adc does not answer: look at its wiring and power")
  }
}

/// Sensors that talk by themselves.
@Suite struct StreamTests {
  let clock = VirtualClock()
  let model: PMS5003Model
  let stream: SimulatedByteStream
  let bench: DeviceBench

  init() throws {
    model = PMS5003Model(
      environment: Environment((.pm1, 4_000), (.pm25, 12_000), (.pm10, 30_000)), clock: clock)
    stream = SimulatedByteStream(model, clock: clock)
    let module = SensorModule(
      name: "dust", probe: StreamProbe(PMS5003.self, stream: stream, clock: clock),
      at: SensorPlace(bus: "/dev/ttyAMA0"), every: .seconds(10))
    bench = try DeviceBench.make([module], clock: clock)
    bench.start()
  }

  /// Lets seconds pass, in each of which the bytes that have come are taken.
  func run(seconds: Int) {
    for _ in 0..<seconds {
      bench.run(for: .seconds(1))
      stream.deliver()
    }
  }

  @Test("while the fan starts nothing is published, then the newest frame of each period is")
  func warmUp() {
    run(seconds: 30)
    #expect(bench.new(on: "dust/pm25").isEmpty)
    #expect(
      bench.retained("dust/error")
        == "no value yet for pm1, pm25, pm10: the chip on /dev/ttyAMA0 is warming up")
    run(seconds: 20)
    #expect(bench.retained("dust/error") == nil)
    run(seconds: 30)
    let news = bench.news().filter { $0.topic.hasPrefix("dust/pm") }.suffix(3)
    #expect(news == [Published("dust/pm1", "4"), Published("dust/pm25", "12"), Published("dust/pm10", "30")])
  }

  @Test("silence is an error, and ends with it")
  func silence() {
    run(seconds: 60)
    stream.model = nil
    run(seconds: 14)
    #expect(
      bench.retained("dust/error") == "the chip on /dev/ttyAMA0 does not answer: look at its wiring and power"
    )
    _ = bench.news()
    stream.model = model
    run(seconds: 20)
    #expect(
      bench.retained("dust/error")
        == "no value yet for pm1, pm25, pm10: the chip on /dev/ttyAMA0 is warming up")
    #expect(bench.new(on: "dust/pm25").isEmpty)
    run(seconds: 40)
    #expect(bench.retained("dust/error") == nil)
  }

  @Test("a chip that another program has sent to sleep is woken at the next measurement")
  func asleep() {
    run(seconds: 60)
    for byte in [0x42, 0x4D, 0xE4, 0, 0, 0x01, 0x73] as [UInt8] { model.receive(byte) }
    #expect(model.isAsleep)
    run(seconds: 14)
    #expect(!model.isAsleep)
    #expect(
      bench.retained("dust/error")
        == "no value yet for pm1, pm25, pm10: the chip on /dev/ttyAMA0 is warming up")
  }

  @Test("damaged frames are an error, never a value")
  func damage() {
    stream.damagesEvery = 31
    run(seconds: 120)
    #expect(bench.new(on: "dust/pm25").isEmpty)
    #expect(
      bench.retained("dust/error")
        == "the chip on /dev/ttyAMA0 answered with a wrong checksum: look for noise, long wires or missing pull-ups"
    )
  }

  @Test("an adapter that is unplugged is an error, also while a measurement is waited for")
  func unplugged() {
    run(seconds: 61)
    bench.run(for: .milliseconds(9_500))
    stream.deliver()
    stream.fail(.noController)
    run(seconds: 30)
    #expect(bench.retained("dust/error") == "/dev/ttyAMA0 does not exist: enable the bus, or plug it in")
  }
}

/// A compass with two axes, of a person's own making.
private struct Compass: Sensor {
  struct Field: Drivers.Measurement {
    var x, y: Reading

    static func forEachChannel(_ body: (Channel) -> Void) {
      body(Channel(.magneticFlux, key: "x", decimals: 6, scale: 9))
      body(Channel(.magneticFlux, key: "y", decimals: 6, scale: 9))
    }

    func forEachReading(_ body: (Reading) -> Void) {
      body(x)
      body(y)
    }
  }

  static var name: StaticString { "compass" }
  static var shortestPeriod: Duration { .seconds(1) }
  let field: Field

  init(_ x: Quality, _ y: Quality) {
    field = Field(x: Reading(0, -123_456_789, x), y: Reading(1, 48_000_000_000, y))
  }

  func start() throws(SensorError) -> Duration { .zero }
  func collect() throws(SensorError) -> Field { field }
}

/// A chip with more channels than there may be.
private struct Centipede: Sensor {
  struct Legs: Drivers.Measurement {
    static func forEachChannel(_ body: (Channel) -> Void) {
      for _ in 0..<100 { body(Channel(.count, decimals: 0, scale: 0)) }
    }

    func forEachReading(_ body: (Reading) -> Void) {
      for leg in UInt8(0)..<100 { body(Reading(leg, Int64(leg))) }
    }
  }

  static var name: StaticString { "centipede" }
  static var shortestPeriod: Duration { .seconds(1) }
  func start() throws(SensorError) -> Duration { .zero }
  func collect() throws(SensorError) -> Legs { Legs() }
}
