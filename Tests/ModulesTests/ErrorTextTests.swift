import DeviceBench
import DeviceRuntime
import Drivers
import HAL
import Modules
import Simulation
import Testing
import Units

/// Every way in which a measurement fails has its words: what it is, where, and what to look at.
@Suite struct ErrorTextTests {
  /// A probe that fails as it is told.
  final class FailingProbe: SensorProbe {
    var owner: (any SensorProbeOwner)?
    let channels: [Channel] = []
    let outcome: ProbeOutcome
    init(_ error: SensorError) { outcome = .failed(error) }
    func start() { owner?.probeCompleted() }
    func collect() { owner?.probeCompleted() }
  }

  @Test(
    "errors of a sensor",
    arguments: [
      (
        .checksum,
        "target 0x76 on /dev/i2c-1 answered with a wrong checksum: look for noise, long wires or missing pull-ups"
      ),
      (
        .wrongIdentity(found: 0x60),
        "target 0x76 on /dev/i2c-1 is another chip: its identity register holds 0x60"
      ),
      (.notReady, "target 0x76 on /dev/i2c-1 was not ready after its longest conversion time"),
      (.implausible, "target 0x76 on /dev/i2c-1 answered with values no such chip can have"),
      (
        .bus(.noAcknowledge),
        "target 0x76 on /dev/i2c-1 does not answer: look at its wiring, power and address"
      ),
      (.bus(.busy), "target 0x76 on /dev/i2c-1 cannot be reached: the bus is busy"),
      (
        .bus(.timeout),
        "target 0x76 on /dev/i2c-1 cannot be reached: the bus is stuck (is SDA or SCL held low?)"
      ),
      (.bus(.shortTransfer), "target 0x76 on /dev/i2c-1 sent fewer bytes than asked for"),
      (.bus(.noController), "/dev/i2c-1 does not exist: add dtparam=i2c_arm=on to config.txt"),
      (
        .bus(.noDriver),
        "/dev/i2c-1 does not exist, but its controller does: load i2c-dev (sudo modprobe i2c-dev, and a line i2c-dev in /etc/modules)"
      ),
      (
        .bus(.noNode),
        "/dev/i2c-1 is not in /dev, but i2c-dev has it: give it to this container, or look at udev"
      ),
      (
        .bus(.notPermitted),
        "/dev/i2c-1 may not be opened: add the user to the group i2c (sudo usermod -aG i2c USER)"
      ),
      (.bus(.system(121)), "target 0x76 on /dev/i2c-1 cannot be reached: system error 121"),
    ] as [(SensorError, String)])
  func sensor(error: SensorError, text: String) throws {
    let place = SensorPlace(
      bus: "/dev/i2c-1", address: 0x76, enableHint: "add dtparam=i2c_arm=on to config.txt")
    let bench = try DeviceBench.make([
      SensorModule(name: "air", probe: FailingProbe(error), at: place, every: .seconds(10))
    ])
    bench.start()
    #expect(bench.retained("air/error") == text)
  }

  @Test(
    "another chip is named where its identity register says which, and nothing at all is a matter of wiring",
    arguments: [
      (0x60, "is another chip, a BME280: its identity register holds 0x60"),
      (0x61, "is another chip, a BME680: its identity register holds 0x61"),
      (0x50, "is another chip, a BMP3xx: its identity register holds 0x50"),
      (0x55, "is another chip, a BMP180: its identity register holds 0x55"),
      (0x42, "is another chip: its identity register holds 0x42"),
      (0x00, "answered with 0x00 where its identity should be: nothing there, look at its wiring"),
      (0xFF, "answered with 0xff where its identity should be: nothing there, look at its wiring"),
    ] as [(UInt8, String)])
  func identities(found: UInt8, text: String) throws {
    let place = SensorPlace(bus: "/dev/i2c-1", address: 0x76, identity: BMP280.identity)
    let probe = FailingProbe(.wrongIdentity(found: found))
    let bench = try DeviceBench.make([SensorModule(name: "air", probe: probe, at: place, every: .seconds(1))])
    bench.start()
    #expect(bench.retained("air/error") == "target 0x76 on /dev/i2c-1 \(text)")
  }

  @Test("a bus that nobody knows how to enable has general words")
  func noHint() throws {
    let place = SensorPlace(bus: "/dev/i2c-7", address: 0x76)
    let probe = FailingProbe(.bus(.noController))
    let bench = try DeviceBench.make([SensorModule(name: "air", probe: probe, at: place, every: .seconds(1))])
    bench.start()
    #expect(bench.retained("air/error") == "/dev/i2c-7 does not exist: enable the bus, or plug it in")
  }

  @Test("a driver that needs several conversions is asked until it is done")
  func severalConversions() throws {
    let clock = VirtualClock()
    let queue = SimulatedWorkQueue()
    let bus = SimulatedI2CBus()
    let environment = Environment()
    bus.attach(DPS310Model(environment: environment, clock: clock), at: 0x77)
    let module = SensorModule(
      name: "air", probe: DriverProbe(DPS310(bus.device(at: 0x77)), queue: queue),
      at: SensorPlace(bus: "/dev/i2c-1", address: 0x77), every: .seconds(10))
    let bench = try DeviceBench.make([module], clock: clock, queue: queue)
    bench.start()
    bench.run(for: .seconds(5))
    #expect(bench.new(on: "air/temperature").count == 1)
    #expect(bench.new(on: "air/pressure").count == 1)
    #expect(bench.retained("air/error") == nil)
  }
}
