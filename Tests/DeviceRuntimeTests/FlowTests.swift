import DeviceBench
import DeviceRuntime
import HAL
import Loopback
import MQTTClient
import Testing

/// What happens when there is more to say than the broker takes.
@Suite struct FlowTests {
  @Test("sixty modules are born through a window of two messages, each with its state and error")
  func manyModules() throws {
    let modules = (0..<60).map { ProbeModule("module-\($0)", state: "state \($0)") }
    let bench = try DeviceBench.make(modules) { options in
      options.maxInFlight = 2
      options.outboxCapacity = 512
      options.sendCapacity = 256
    }
    bench.start()
    let news = bench.news()
    #expect(news.first == Published("availability", "online", isState: true))
    #expect(news.count == 121)
    for (index, module) in modules.enumerated() {
      #expect(bench.retained("\(module.name)/state") == "state \(index)")
      #expect(news.filter { $0.topic == "\(module.name)/error" }.count == 1)
    }
    #expect(bench.server.faults.isEmpty)
  }

  @Test("while the broker takes nothing states wait; then the newest of each goes out, and none is lost")
  func coalescing() throws {
    let modules = (0..<20).map { ProbeModule("m\($0)", state: "0") }
    let bench = try DeviceBench.make(modules) { options in
      options.maxInFlight = 2
      options.outboxCapacity = 256
    }
    bench.start()
    _ = bench.news()
    bench.server.withholdsAcknowledgements = true
    for round in 1...50 {
      for module in modules { module.change(to: "\(round)") }
      bench.settle()
    }
    let held = bench.server.published.suffix(2).map(\.packetID)
    #expect(bench.news().count == 2)
    bench.server.withholdsAcknowledgements = false
    for packetID in held { bench.server.acknowledge(packetID) }
    bench.settle()
    for module in modules { #expect(bench.retained("\(module.name)/state") == "50") }
    #expect(bench.news().count < 30)
  }

  @Test("a command is answered while the broker owes acknowledgements for all states")
  func answersOvertake() throws {
    let fan = ProbeModule("fan", state: "OFF")
    let bench = try DeviceBench.make([fan]) { $0.maxInFlight = 1 }
    bench.server.withholdsAcknowledgements = true
    bench.start()
    bench.send("ON", to: "fan")
    #expect(bench.new(on: "fan/result").count == 1)
  }

  @Test("commands that come all at once are each obeyed and answered, in order", arguments: [256, 4096])
  func burst(sendCapacity: Int) throws {
    let fan = ProbeModule("fan", state: "OFF")
    let bench = try DeviceBench.make([fan]) { $0.sendCapacity = sendCapacity }
    bench.start()
    _ = bench.news()
    let commands = (0..<300).map { "command \($0)" }
    for command in commands {
      bench.server.send("\(bench.device.topics.prefix.string)fan/set", Array(command.utf8), qos: .atMostOnce)
    }
    bench.settle()
    #expect(
      bench.new(on: "fan/result") == commands.map { "{\"command\":\"\($0)\",\"result\":\"accepted\"}" })
    #expect(bench.device.client.counters.dropped == 0)
  }

  @Test("states that the broker did not acknowledge come again after a reconnect, the newest last")
  func unacknowledged() throws {
    let fan = ProbeModule("fan", state: "OFF")
    let bench = try DeviceBench.make([fan])
    bench.start()
    bench.server.withholdsAcknowledgements = true
    fan.change(to: "ON")
    bench.settle()
    bench.loseBroker()
    fan.change(to: "OFF")
    bench.server.withholdsAcknowledgements = false
    _ = bench.news()
    bench.comeBack()
    #expect(bench.new(on: "fan/state") == ["ON", "OFF"])
    #expect(bench.retained("fan/state") == "OFF")
  }

  @Test("the next turn is due at the earliest timer or the session's own deadline, whichever is first")
  func deadlines() throws {
    let owner = Alarm()
    let bench = try DeviceBench.make([])
    let timers = (0..<3).map { _ in bench.device.makeTimer(for: owner) }
    bench.start()
    #expect(bench.deadline == .zero + .seconds(59))
    timers[0].schedule(at: .zero + .seconds(30))
    timers[1].schedule(at: .zero + .milliseconds(20_500))
    timers[2].schedule(at: .zero + .seconds(10))
    timers[2].cancel()
    bench.settle()
    #expect(bench.deadline == .zero + .milliseconds(20_500))
    bench.run(for: .seconds(20))
    #expect(owner.fired.isEmpty)
    bench.run(for: .milliseconds(500))
    #expect(owner.fired == [.zero + .milliseconds(20_500)])
    #expect(timers[1].deadline == nil && bench.deadline == .zero + .seconds(30))
  }

  @Test("a timer that is scheduled again for now fires once a turn, so that the loop goes on")
  func eagerTimer() throws {
    let owner = Alarm()
    let bench = try DeviceBench.make([])
    let timer = bench.device.makeTimer(for: owner)
    bench.start()
    owner.repeats = true
    timer.schedule(at: bench.clock.now)
    #expect(bench.device.turn() == bench.clock.now)
    #expect(bench.device.turn() == bench.clock.now)
    #expect(owner.fired.count == 2)
  }

  @Test("a device at rest does nothing but keep the connection alive")
  func atRest() throws {
    let bench = try DeviceBench.make([ProbeModule("fan", state: "OFF")])
    bench.start()
    _ = bench.news()
    var wakeUps = 0
    bench.run(for: .seconds(3_600)) { wakeUps += 1 }
    #expect(bench.news().isEmpty)
    // One for each ping, and the two of `run` itself.
    #expect(bench.server.pings == 61 && wakeUps == 61 + 2)
  }
}

private final class Alarm: TimerOwner {
  var fired: [Instant] = []
  var repeats = false

  func timerFired(_ timer: DeviceTimer, now: Instant) {
    fired.append(now)
    if repeats { timer.schedule(at: now) }
  }
}
