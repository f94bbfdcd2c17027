import DeviceBench
import DeviceRuntime
import HAL
import Loopback
import MQTTClient
import Testing

/// A clean stop: outputs first, then the last words, then the connection.
@Suite struct StopTests {
  @Test("a stop brings outputs to rest at once, then says states, `offline`, DISCONNECT, in this order")
  func order() throws {
    let fan = ProbeModule("fan", state: "ON")
    let bench = try DeviceBench.make([fan])
    bench.start()
    _ = bench.news()
    bench.device.stop()
    #expect(fan.calls.last == "stop")
    fan.change(to: "OFF")
    bench.settle()
    #expect(
      bench.news() == [
        Published("fan/state", "OFF", isState: true), Published("availability", "offline", isState: true),
      ])
    #expect(bench.server.disconnects == 1)
    #expect(bench.device.isStopped)
    #expect(bench.clock.now == .zero)
  }

  @Test("`offline` is the last word of sixty modules too, through a window of two messages")
  func manyModules() throws {
    let modules = (0..<60).map { ProbeModule("m\($0)", state: "ON") }
    let bench = try DeviceBench.make(modules) { $0.maxInFlight = 2 }
    bench.start()
    bench.device.stop()
    for module in modules { module.change(to: "OFF") }
    bench.settle()
    #expect(bench.news().last == Published("availability", "offline", isState: true))
    for module in modules { #expect(bench.retained("\(module.name)/state") == "OFF") }
    #expect(bench.server.disconnects == 1 && bench.device.isStopped)
  }

  @Test("a command that comes while the device stops is refused")
  func refusesCommands() throws {
    let fan = ProbeModule("fan", state: "ON")
    let bench = try DeviceBench.make([fan])
    bench.start()
    bench.server.withholdsAcknowledgements = true
    bench.device.stop()
    bench.settle()
    bench.send("ON", to: "fan")
    #expect(
      bench.new(on: "fan/result")
        == [#"{"command":"ON","result":"rejected","reason":"the device is stopping"}"#])
    #expect(!fan.calls.contains("obey ON"))
    #expect(!bench.device.isStopped)
  }

  @Test("a broker that does not take `offline` is left after 2 s without DISCONNECT: its will says it")
  func silentBroker() throws {
    let bench = try DeviceBench.make([ProbeModule("fan", state: "ON")])
    bench.start()
    bench.run(for: .seconds(10))
    bench.server.withholdsAcknowledgements = true
    bench.device.stop()
    bench.settle()
    #expect(bench.deadline == .zero + .seconds(12))
    bench.run(for: .milliseconds(1_999))
    #expect(!bench.device.isStopped)
    bench.run(for: .milliseconds(1))
    #expect(bench.device.isStopped && bench.server.disconnects == 0)
    bench.link.cut(now: 12_000)
    #expect(bench.retained("availability") == "offline")
  }

  @Test("a connection that breaks during the stop ends it")
  func brokenStop() throws {
    let bench = try DeviceBench.make([])
    bench.start()
    bench.server.withholdsAcknowledgements = true
    bench.device.stop()
    bench.settle()
    bench.loseBroker()
    #expect(bench.device.isStopped)
  }

  @Test("without a connection a stop is immediate, and outputs come to rest all the same")
  func withoutBroker() throws {
    let fan = ProbeModule("fan", state: "ON")
    let bench = try DeviceBench.make([fan])
    bench.link.isDown = true
    bench.start()
    bench.device.stop()
    #expect(bench.device.isStopped && fan.calls.last == "stop")
  }

  @Test("a second stop changes nothing")
  func twice() throws {
    let fan = ProbeModule("fan", state: "ON")
    let bench = try DeviceBench.make([fan])
    bench.start()
    bench.device.stop()
    bench.device.stop()
    bench.settle()
    bench.device.stop()
    #expect(fan.calls.filter { $0 == "stop" }.count == 1)
    #expect(bench.server.disconnects == 1)
  }
}
