import DeviceBench
import DeviceRuntime
import HAL
import Loopback
import MQTTClient
import Testing

/// What the broker sees of a device that comes and goes.
@Suite struct PresenceTests {
  @Test("a birth is a retained `online` with QoS 1, then all states and errors")
  func birth() throws {
    let fan = ProbeModule("fan", state: "OFF")
    let bench = try DeviceBench.make([fan, ProbeModule("air")])
    bench.start()
    #expect(
      bench.news() == [
        Published("availability", "online", isState: true),
        Published("fan/state", "OFF", isState: true),
        Published("fan/error", "", isState: true),
        Published("air/error", "", isState: true),
      ])
    #expect(fan.calls == ["start", "disconnected", "connected"])
    #expect(bench.server.faults.isEmpty)
  }

  @Test("the will is a retained `offline` with QoS 1, and the broker publishes it when the device is lost")
  func will() throws {
    let bench = try DeviceBench.make([])
    bench.start()
    let will = try #require(bench.server.will)
    #expect(will.topic == "home/den/availability" && will.payload == Array("offline".utf8))
    #expect(will.retain && will.qos == .atLeastOnce)
  }

  @Test("one subscription brings the commands of all modules, and one the wish for everything")
  func subscription() throws {
    let bench = try DeviceBench.make([ProbeModule("fan"), ProbeModule("lamp")])
    bench.start()
    #expect(
      bench.server.subscriptions.map { String(decoding: $0.filter, as: UTF8.self) } == [
        "home/den/+/set", "home/den/get",
      ])
    #expect(bench.server.subscriptions.map(\.qos) == [.atLeastOnce, .atLeastOnce])
  }

  @Test(
    "what a device has no longer is cleared when it is online, and that is told when the broker has done it")
  func clears() throws {
    let bench = try DeviceBench.make([ProbeModule("fan", state: "OFF")])
    let old = ["home/den/pump/state", "home/shed/availability"]
    for topic in old { bench.server.send(topic, [0x31], retain: true) }
    var isDone = false
    bench.device.clear(old) { isDone = true }
    bench.server.withholdsAcknowledgements = true
    bench.start()
    #expect(bench.server.retained.keys.filter { old.contains($0) }.isEmpty)
    #expect(!isDone && bench.retained("fan/state") == "OFF")
    bench.loseBroker()
    bench.server.withholdsAcknowledgements = false
    bench.comeBack()
    #expect(isDone)
  }

  @Test("the topics that a broker keeps are those of states, errors and retained readings")
  func retainedTopics() {
    let modules = [
      ProbeModule("fan"),
      ProbeModule(
        "air",
        entities: [
          Entity(.measurement, "temperature", access: [.reading, .retained]),
          Entity(.measurement, "humidity", access: .reading),
        ]),
    ]
    #expect(
      Topics(root: "home", device: "den").retained(of: modules) == [
        "home/den/availability", "home/den/fan/error", "home/den/fan/state", "home/den/air/error",
        "home/den/air/temperature",
      ])
  }

  @Test("after every reconnect birth, subscription, states and errors are there again, as they are now")
  func reconnect() throws {
    let fan = ProbeModule("fan", state: "OFF")
    let bench = try DeviceBench.make([fan])
    bench.start()
    for round in 1...3 {
      _ = bench.news()
      bench.loseBroker()
      fan.change(to: "state \(round)")
      bench.device.setError(FixedText("broken \(round)"), of: fan)
      bench.run(for: .seconds(20))
      #expect(bench.news().isEmpty)
      bench.comeBack()
      #expect(
        bench.news() == [
          Published("availability", "online", isState: true),
          Published("fan/state", "state \(round)", isState: true),
          Published("fan/error", "broken \(round)", isState: true),
        ])
      #expect(bench.server.subscriptions.count == 2)
    }
    #expect(bench.server.connects == 4)
    #expect(fan.calls.filter { $0 == "disconnected" }.count == 4)
  }

  @Test("a device is back within eight seconds of the broker, however long that was away")
  func backSoon() throws {
    let bench = try DeviceBench.make([])
    bench.start()
    for minutes in 1...20 {
      bench.loseBroker()
      bench.run(for: .seconds(minutes * minutes * 60))
      let back = bench.clock.now
      bench.comeBack()
      #expect(bench.clock.now - back <= .seconds(8))
    }
  }

  @Test("the error topic tells what is wrong, once for each change, and is emptied when the module is well")
  func errors() throws {
    let air = ProbeModule("air")
    let log = RecordingLog()
    let bench = try DeviceBench.make([air], log: log)
    bench.start()
    _ = bench.news()
    for text: FixedText in ["unplugged", "unplugged", "", ""] {
      bench.device.setError(text, of: air)
      bench.settle()
    }
    #expect(
      bench.news() == [
        Published("air/error", "unplugged", isState: true), Published("air/error", "", isState: true),
      ])
    #expect(bench.retained("air/error") == nil)
    #expect(log.lines.suffix(2) == ["error: air: unplugged", "info: air: well again"])
  }

  @Test("a reading that cannot go out is counted and not kept")
  func droppedReadings() throws {
    let air = ProbeModule("air")
    let bench = try DeviceBench.make([air])
    bench.device.start()
    #expect(!bench.device.publish("20.0", as: 1, of: air))
    bench.start()
    #expect(bench.device.publish("20.1", as: 1, of: air))
    bench.settle()
    bench.loseBroker()
    #expect(!bench.device.publish("20.2", as: 1, of: air))
    bench.comeBack()
    #expect(bench.new(on: "air/temperature") == ["20.1"])
    #expect(bench.device.droppedReadings == 2)
  }

  @Test("why there is no connection is logged once, not at every attempt, and again after it was good")
  func failuresAreLoggedOnce() throws {
    let log = RecordingLog()
    let bench = try DeviceBench.make([], log: log)
    bench.link.isDown = true
    bench.start()
    bench.run(for: .seconds(3_600))
    #expect(log.lines == ["warning: no connection to the broker, trying again: the connection was closed"])
    bench.comeBack()
    bench.loseBroker()
    bench.run(for: .seconds(3_600))
    #expect(
      log.lines.dropFirst() == [
        "info: online: connected to the broker",
        "warning: offline: the connection was closed",
        "warning: no connection to the broker, trying again: the connection was closed",
      ])
  }

  @Test("a refused login is an error with what to look at, and the device keeps trying")
  func refused() throws {
    let log = RecordingLog()
    let bench = try DeviceBench.make([], log: log)
    bench.server.answer = .badUsernameOrPassword
    bench.start()
    bench.run(for: .seconds(600))
    #expect(
      log.lines == [
        "error: the broker refused the connection: "
          + "wrong user name or password: look at username and password under mqtt"
      ])
    bench.server.answer = .accepted
    bench.comeBack()
    #expect(bench.retained("availability") == "online")
  }

  @Test("a refused subscription is logged: without it no command comes")
  func refusedSubscription() throws {
    let log = RecordingLog()
    let bench = try DeviceBench.make([], log: log)
    bench.server.refusedFilters = ["home/den/+/set"]
    bench.start()
    #expect(
      log.lines.last
        == "error: the broker refused the subscription to home/den/+/set: not authorized: look at the broker's user and access lists"
    )
  }
}
