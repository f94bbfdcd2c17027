import DeviceBench
import DeviceRuntime
import Drivers
import HAL
import Loopback
import MQTTClient
import Modules
import Simulation
import Testing
import Units

/// A sensor publishes fresh values or says why it has none, and disturbs nobody.
@Suite struct SensorTests {
  let clock = VirtualClock()
  let queue = SimulatedWorkQueue()
  let environment = Environment((.temperature, 21_500), (.humidity, 48_000))
  let bus = SimulatedI2CBus()
  let line = SimulatedOutputLine(startsActive: false)
  let bench: DeviceBench
  var target: SimulatedI2CTarget { bus.target(at: 0x44) }

  init() throws {
    bus.attach(SHT3xModel(environment: environment, clock: clock), at: 0x44)
    let air = SensorModule(
      name: "air", probe: DriverProbe(SHT3x(bus.device(at: 0x44)), queue: queue),
      at: SensorPlace(bus: "/dev/i2c-1", address: 0x44), every: .seconds(10))
    bench = try DeviceBench.make(
      [Relay(name: "fan", gate: SafetyGate(line: line)), air], clock: clock, queue: queue)
  }

  /// When something was published on a topic in that time: milliseconds since the clock's zero.
  func times(on topic: String, of other: DeviceBench? = nil, during duration: Duration) -> [Int64] {
    let bench = other ?? self.bench
    var times: [Int64] = []
    _ = bench.news()
    bench.run(for: duration) {
      times += bench.news().filter { $0.topic == topic }.map { _ in clock.now.milliseconds }
    }
    return times
  }

  /// When a measurement was begun in that time; for a chip that does not answer. What comes within its longest
  /// conversion time belongs to the same one.
  func attempts(during duration: Duration) -> [Int64] {
    var times: [Int64] = []
    var before = target.transfers
    bench.run(for: duration) {
      let now = clock.now.milliseconds
      if target.transfers != before, now - (times.last ?? -1_000) > 16 { times.append(now) }
      before = target.transfers
    }
    return times
  }

  @Test("each quantity is published on its own topic as a plain number, not retained")
  func readings() {
    bench.start()
    bench.run(for: .milliseconds(100))
    let news = bench.news()
    #expect(news.suffix(2) == [Published("air/temperature", "21.50"), Published("air/humidity", "48.00")])
    #expect(bench.retained("air/temperature") == nil)
  }

  func slow(isRetained: Bool = true, expires: UInt32 = 0, version: MQTTVersion = .v5) throws -> DeviceBench {
    let air = SensorModule(
      name: "air", probe: DriverProbe(SHT3x(bus.device(at: 0x44)), queue: queue),
      at: SensorPlace(bus: "/dev/i2c-1", address: 0x44), every: .seconds(3_600),
      isRetained: isRetained, expires: expires)
    let bench = try DeviceBench.make([air], clock: clock, queue: queue) { $0.version = version }
    bench.start()
    bench.run(for: .milliseconds(100))
    return bench
  }

  @Test("a retained reading is there for whoever comes later, and expires when it is told to")
  func retained() throws {
    let bench = try slow(expires: 7_200)
    #expect(bench.retained("air/temperature") == "21.50")
    let message = try #require(bench.server.published.last)
    #expect(message.properties == [0x02, 0, 0, 0x1C, 0x20])
    #expect(message.qos == .atMostOnce)
    #expect(try slow().server.published.last?.properties == [])
    #expect(try slow(expires: 7_200, version: .v3_1_1).server.published.last?.properties == [])
  }

  @Test("whoever asks gets everything now, with a second between measurements, and is answered")
  func everything() throws {
    let bench = try slow(isRetained: false)
    bench.run(for: .seconds(60))
    _ = bench.news()
    environment.set(.temperature, thousandths: 22_000)
    bench.server.send("home/den/get", [], qos: .atLeastOnce)
    bench.run(for: .milliseconds(100))
    #expect(
      Set(bench.news().map(\.description)) == [
        "get/result = {\"command\":\"\",\"result\":\"accepted\"}", "availability = online (kept)",
        "air/error =  (kept)",
        "air/temperature = 22.00", "air/humidity = 48.00",
      ])
    for _ in 0..<50 { bench.server.send("home/den/get", [], qos: .atLeastOnce) }
    let asked = clock.now.milliseconds
    #expect(times(on: "air/temperature", of: bench, during: .seconds(10)) == [asked - 100 + 1_016])
  }

  @Test("a retained wish for everything is refused: it would come at every connection")
  func retainedWish() throws {
    let bench = try slow(isRetained: false)
    bench.loseBroker()
    bench.server.send("home/den/get", [0x31], qos: .atLeastOnce, retain: true)
    bench.comeBack()
    let answer = try #require(bench.new(on: "get/result").last)
    #expect(answer.contains("retained commands are not obeyed"))
    #expect(bench.new(on: "get/result").count == 1)
  }

  @Test("it measures at the start and then in step with it, without drift")
  func schedule() {
    bench.start()
    // The first one begins with a reset of the chip.
    #expect(
      times(on: "air/temperature", during: .seconds(60)) == [19] + (1..<6).map { $0 * 10_000 + 16 })
    bench.run(for: .seconds(86_400))
    #expect(times(on: "air/temperature", during: .seconds(10)) == [86_460_016])
  }

  @Test("a broker that is back gets a value at once")
  func measuresAtConnect() {
    bench.start()
    bench.run(for: .seconds(13))
    bench.loseBroker()
    bench.run(for: .seconds(20))
    bench.comeBack()
    let back = clock.now.milliseconds
    #expect(times(on: "air/temperature", during: .seconds(1)) == [back + 16])
  }

  @Test("a value is never published twice: after a failure nothing but the reason is")
  func noStaleValue() {
    bench.start()
    bench.run(for: .seconds(10))
    target.inject(.flippedBit(3))
    #expect(times(on: "air/temperature", during: .seconds(3_600)).isEmpty)
    #expect(
      bench.retained("air/error")
        == "target 0x44 on /dev/i2c-1 answered with a wrong checksum: "
        + "look for noise, long wires or missing pull-ups")
  }

  @Test("pauses double from the period to a minute, and a chip that is back is well at the next attempt")
  func backoff() {
    bench.start()
    bench.run(for: .seconds(1))
    target.inject(.absent)
    #expect(attempts(during: .milliseconds(199_500)) == [10, 20, 40, 80, 140, 200].map { $0 * 1_000 })
    #expect(
      bench.retained("air/error")
        == "target 0x44 on /dev/i2c-1 does not answer: look at its wiring, power and address")
    target.heal()
    environment.set(.temperature, thousandths: 5_000)
    _ = bench.news()
    bench.run(for: .milliseconds(60_016))
    #expect(bench.retained("air/error") == nil)
    #expect(bench.new(on: "air/temperature") == ["5.00"])
    #expect(times(on: "air/temperature", during: .seconds(20)) == [270_016, 280_016])
  }

  @Test("one failure costs one reading, and the next is on time")
  func oneFailure() {
    bench.start()
    bench.run(for: .seconds(1))
    target.inject(.busy, count: 1)
    #expect(times(on: "air/temperature", during: .seconds(29)) == [20_019])
    #expect(bench.retained("air/error") == nil)
  }

  @Test("a failing sensor does not measure when the broker comes back: its pauses go on")
  func failingAtConnect() {
    bench.start()
    target.inject(.absent)
    bench.run(for: .seconds(31))
    let transfers = target.transfers
    bench.loseBroker()
    bench.run(for: .milliseconds(1))
    bench.comeBack()
    #expect(clock.now < .zero + .seconds(40))
    bench.run(until: .zero + .milliseconds(69_999))
    #expect(target.transfers == transfers)
  }

  @Test("a hung bus is reported after 2 s, relays obey meanwhile, and its end is the end of the error")
  func hungBus() {
    bench.start()
    bench.run(for: .seconds(5))
    bench.busHangs = true
    bench.run(until: .zero + .milliseconds(11_999))
    #expect(bench.retained("air/error") == nil)
    bench.run(for: .milliseconds(1))
    #expect(
      bench.retained("air/error")
        == "/dev/i2c-1 hangs: a transfer has not ended for 2 s (is SDA or SCL held low?)")
    bench.send("ON", to: "fan")
    #expect(line.isActive)
    bench.run(until: .zero + .seconds(123))
    bench.busHangs = false
    _ = bench.news()
    bench.run(for: .milliseconds(16))
    #expect(bench.retained("air/error") == nil)
    #expect(bench.new(on: "air/temperature") == ["21.50"])
    // In step with the first measurement, and what was missed is not made up for.
    #expect(times(on: "air/temperature", during: .seconds(20)) == [130_016, 140_016])
  }

  @Test("a transfer that ends with an error after the bus hung leaves that error")
  func hangThenFailure() {
    bench.start()
    bench.run(for: .seconds(5))
    bench.busHangs = true
    target.inject(.hang)
    bench.run(until: .zero + .seconds(20))
    bench.busHangs = false
    bench.settle()
    #expect(
      bench.retained("air/error")
        == "target 0x44 on /dev/i2c-1 cannot be reached: the bus is stuck (is SDA or SCL held low?)")
  }

  @Test("a sensor that fails for a day leaves relays and the connection alone")
  func disturbsNobody() {
    bench.start()
    bench.run(for: .seconds(1))
    target.inject(.absent)
    bench.run(for: .seconds(86_400))
    #expect(bench.server.connects == 1)
    bench.send("ON", to: "fan")
    #expect(line.isActive)
    #expect(bench.server.published.filter { $0.topic == "home/den/air/error" }.count == 2)
  }

  @Test("after a stop nothing is measured or published, though a conversion was under way")
  func stop() {
    bench.start()
    bench.run(for: .milliseconds(10_008))
    _ = bench.news()
    bench.server.withholdsAcknowledgements = true
    bench.device.stop()
    bench.run(for: .seconds(1))
    #expect(
      bench.news() == [
        Published("fan/state", "OFF", isState: true), Published("availability", "offline", isState: true),
      ])
  }

  @Test("after a stop a transfer that was under way does not come back as a reading")
  func stopDuringTransfer() {
    bench.start()
    bench.busHangs = true
    bench.run(until: .zero + .milliseconds(10_100))
    bench.server.withholdsAcknowledgements = true
    bench.device.stop()
    bench.busHangs = false
    _ = bench.news()
    bench.run(for: .seconds(1))
    #expect(
      bench.news() == [
        Published("fan/state", "OFF", isState: true), Published("availability", "offline", isState: true),
      ])
  }
}
