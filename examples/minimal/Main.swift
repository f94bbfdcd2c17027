import DeviceProgram
import DeviceRuntime
import Drivers
import LinuxPlatform
import Modules

/// One relay and one sensor, put together in Swift: no device file, and nothing in the program that reads one.
/// `scripts/cross arm64 --product minimal` makes less than 250 KB of it.
@main
enum Main {
  static func main() {
    let wiring = Wiring()
    let safety = SafetyPolicy(
      brokerLost: SafetyPolicy.Lost(after: .seconds(60), then: false), maxOn: .seconds(1_800))
    let fan = wiring.gate(
      "fan", chip: "pinctrl-bcm2711", line: "GPIO5", activeLow: true, safety: safety)
    Program.run(
      ComposedDevice(
        "minimal", wiring,
        [
          Relay(name: "fan", gate: fan),
          SensorModule("air", SHT3x.self, on: wiring, bus: "/dev/i2c-1", every: .seconds(10)),
        ],
        broker: Endpoint(host: "broker.local", port: 1883)))
  }
}
