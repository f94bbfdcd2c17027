import DeviceBench
import DeviceProgram
import DeviceRuntime
import Drivers
import HAL
import LinuxPlatform
import Modules
import SwiftletTesting
import Testing

/// A device that is put together in Swift, as `examples/minimal` is.
@Suite struct ComposedDeviceTests {
  func composed() -> ComposedDevice {
    let wiring = Wiring()
    let safety = SafetyPolicy(
      brokerLost: SafetyPolicy.Lost(after: .seconds(60), then: false), maxOn: .seconds(1_800))
    let fan = wiring.gate(
      "fan", chip: "pinctrl-bcm2711", line: "GPIO5", activeLow: true, safety: safety)
    let door = wiring.input("door", chip: "pinctrl-bcm2711", line: "GPIO27", activeLow: true, pull: .up)
    return ComposedDevice(
      "minimal", wiring,
      [
        SensorModule("air", SHT3x.self, on: wiring, bus: "/dev/i2c-1", every: .seconds(10)),
        BinaryInput(name: "door", line: door),
        Relay(name: "fan", gate: fan),
      ],
      broker: Endpoint(host: "broker.local", port: 1883))
  }

  @Test("a device that is put together in Swift obeys, measures and reports as one of a file does")
  func day() throws {
    let device = try SimulatedDevice(composed())
    let (bench, board) = (device.bench, device.board)
    bench.start()
    let start = bench.news()
    #expect(start.contains(Published("fan/state", "OFF", isState: true)))
    #expect(start.contains(Published("door/state", "OFF", isState: true)))
    bench.run(for: .seconds(10))
    let readings = bench.news().map(\.topic)
    #expect(readings.contains("air/temperature") && readings.contains("air/humidity"))
    board.input("door")?.drive(active: true, at: bench.clock.now)
    bench.send("ON", to: "fan")
    #expect(board.output("fan")?.isActive == true)
    #expect(bench.retained("fan/state") == "ON" && bench.retained("door/state") == "ON")
    #expect(bench.server.published.allSatisfy { $0.topic.hasPrefix("swiftlet/minimal/") })
  }

  @Test("its outputs are as safe as those of a device file")
  func safety() throws {
    let device = try SimulatedDevice(composed())
    device.bench.start()
    device.bench.send("ON", to: "fan")
    device.bench.loseBroker()
    device.bench.run(for: .seconds(59))
    #expect(device.board.output("fan")?.isActive == true)
    device.bench.run(for: .seconds(1))
    #expect(device.board.output("fan")?.isActive == false)
  }

  @Test("a chip for which there is no model is told, not left out")
  func missing() throws {
    #expect(throws: SimulationFailure.self) { try SimulatedDevice(composed(), models: []) }
  }
}
