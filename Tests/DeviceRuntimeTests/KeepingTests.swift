import DeviceBench
import DeviceRuntime
import HAL
import MQTTClient
import Testing

private final class Calendar: WallClock {
  var unixMilliseconds: Int64? = 1_763_700_000_000
}

/// What becomes of readings while the broker is away.
@Suite struct KeepingTests {
  private let module = ProbeModule("air")
  private let calendar = Calendar()

  private func bench(version: MQTTVersion = .v5) throws -> DeviceBench {
    let bench = try DeviceBench.make([module], wallClock: calendar) { $0.version = version }
    bench.start()
    bench.loseBroker()
    return bench
  }

  private func stamp(_ time: String) throws -> [UInt8] {
    var properties = PropertyList()
    try properties.append(user: "sampled", time)
    return properties.bytes
  }

  @Test("a reading that is not to be kept is counted and dropped")
  func dropped() throws {
    let bench = try bench()
    #expect(!bench.device.publish("21.5", as: 1, of: module))
    #expect(bench.device.droppedReadings == 1)
    bench.comeBack()
    #expect(!bench.server.published.contains { $0.topic == "home/den/air/temperature" })
  }

  @Test("a reading that is kept arrives later with the time at which it was taken")
  func kept() throws {
    let bench = try bench()
    for (time, value) in [(1_763_700_000_000, "21.5"), (1_763_700_010_000, "21.6")] as [(Int64, FixedText)] {
      calendar.unixMilliseconds = time
      #expect(bench.device.publish(value, as: 1, of: module, keeping: .memory))
    }
    calendar.unixMilliseconds = 1_763_709_999_000
    bench.comeBack()
    let readings = bench.server.published.filter { $0.topic == "home/den/air/temperature" }
    #expect(readings.map { String(decoding: $0.payload, as: UTF8.self) } == ["21.5", "21.6"])
    #expect(try readings.map(\.properties) == [stamp("1763700000000"), stamp("1763700010000")])
    #expect(readings.allSatisfy { $0.qos == .atLeastOnce && !$0.retain })
    #expect(bench.device.droppedReadings == 0)
  }

  @Test("a reading taken before the clock was set carries no time, and one on 3.1.1 cannot")
  func withoutTime() throws {
    let bench = try bench()
    calendar.unixMilliseconds = nil
    #expect(bench.device.publish("21.5", as: 1, of: module, keeping: .disk(.high)))
    bench.comeBack()
    #expect(bench.server.published.last { $0.topic == "home/den/air/temperature" }?.properties == [])
    let old = try self.bench(version: .v3_1_1)
    calendar.unixMilliseconds = 1
    #expect(old.device.publish("21.5", as: 1, of: module, keeping: .memory))
    old.comeBack()
    #expect(old.server.published.contains { $0.topic == "home/den/air/temperature" })
    #expect(old.server.faults.isEmpty)
  }

  @Test("as JSON a reading tells its time in every version, and leaves out a time that is not known")
  func json() throws {
    let bench = try bench(version: .v3_1_1)
    #expect(bench.device.publish("21.5", as: 1, of: module, keeping: .memory, format: .json))
    calendar.unixMilliseconds = nil
    #expect(bench.device.publish("21.6", as: 1, of: module, keeping: .memory, format: .json))
    bench.comeBack()
    let readings = bench.server.published.filter { $0.topic == "home/den/air/temperature" }
    #expect(
      readings.map { String(decoding: $0.payload, as: UTF8.self) } == [
        #"{"value":21.5,"sampled":1763700000000}"#, #"{"value":21.6}"#,
      ])
  }

  @Test("readings for which there is no room are counted, and states are not held up by them")
  func full() throws {
    let bench = try bench()
    for _ in 0..<1000 { bench.device.publish("21.5", as: 1, of: module, keeping: .memory) }
    #expect(bench.device.droppedReadings > 800)
    module.change(to: "busy")
    bench.comeBack()
    #expect(bench.retained("air/state") == "busy")
  }

  @Test("that readings to be kept find no room is said once, and how many went at the next connection")
  func fullIsSaid() throws {
    let log = RecordingLog()
    let bench = try DeviceBench.make([module], log: log)
    bench.start()
    bench.loseBroker()
    for _ in 0..<1000 { bench.device.publish("21.5", as: 1, of: module, keeping: .memory) }
    #expect(log.lines.last == "warning: the outbox is full: readings are dropped")
    #expect(log.lines.filter { $0.contains("outbox") }.count == 1)
    bench.comeBack()
    #expect(
      log.lines.last
        == "warning: readings dropped because the outbox was full: \(bench.device.droppedReadings)")
  }
}
