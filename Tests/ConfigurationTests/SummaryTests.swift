import Configuration
import DeviceFile
import Testing

struct SummaryTests {
  @Test func `the greenhouse fits on one screen`() throws {
    let configuration = try DeviceConfiguration.load(
      file("examples/greenhouse/device.yaml"), features: testFeatures(), surroundings: TestSurroundings())
    #expect(
      Summary.text(configuration) == """
        greenhouse on Raspberry Pi 4
        broker  localhost:1883, client swiftlet-greenhouse, keep alive 60s
        lines   GPIO5   pin 29  relay fan, active low, off at start, off at stop, off 1min after losing the broker, on for 30min at most
                GPIO27  pin 13  button door, active low, pulled up, debounced for 30ms
        buses   i2c-1   0x44    sensor air, SHT3x, every 10s (/dev/i2c-1)
        topics  swiftlet/greenhouse/availability
                swiftlet/greenhouse/get
                swiftlet/greenhouse/fan/state
                swiftlet/greenhouse/fan/set
                swiftlet/greenhouse/fan/result
                swiftlet/greenhouse/fan/error
                swiftlet/greenhouse/air/temperature
                swiftlet/greenhouse/air/humidity
                swiftlet/greenhouse/air/error
                swiftlet/greenhouse/door/state
                swiftlet/greenhouse/door/error

        """)
  }

  @Test func `a summary says what differs from the usual`() throws {
    let text = """
      device: d
      root: home
      board: simulator
      mqtt: { url: "mqtt://me:pw@[::1]:1884", client_id: c, keep_alive: 5s }
      modules:
        - relay: fan
          line: GPIO17
          safety: { start: on, stop: hold }
        - relay: pump
          line: GPIO22
          safety: { stop: on }
        - button: door
          line: GPIO27
          pull: none
        - sensor: air
          driver: BMP280
          bus: i2c-1
          every: 90s
      """
    #expect(
      try Summary.text(load(text)) == """
        d on Simulator, simulated
        broker  [::1]:1884, user me, client c, keep alive 5s
        lines   GPIO17  pin 11  relay fan, active high, on at start, unchanged at stop
                GPIO22  pin 15  relay pump, active high, off at start, on at stop
                GPIO27  pin 13  button door, active high, debounced for 30ms
        buses   i2c-1   0x76    sensor air, BMP280, every 90s (simulated)
        topics  home/d/availability
                home/d/get
                home/d/fan/state
                home/d/fan/set
                home/d/fan/result
                home/d/fan/error
                home/d/pump/state
                home/d/pump/set
                home/d/pump/result
                home/d/pump/error
                home/d/door/state
                home/d/door/error
                home/d/air/temperature
                home/d/air/pressure
                home/d/air/error

        """)
  }
}
