import DeviceBench
@testable import DeviceRuntime
import HAL
import MQTTClient
import Simulation
import Testing

/// Time of day, as far as somebody has set the clock.
private final class Calendar: WallClock {
  let clock = VirtualClock()
  /// When the board booted.
  var boot: Int64? = 1_763_700_000_000

  var unixMilliseconds: Int64? { boot.map { $0 + clock.now.milliseconds } }
}

/// Time of day that goes on while it is read.
private final class Running: WallClock {
  private var time: Int64 = 1_763_700_000_000

  var unixMilliseconds: Int64? {
    time += 1
    return time
  }
}

/// The clock of a board before it was booted anew.
private final class OtherRun: MonotonicClock {
  var now: Instant { .zero }
  var boot: UInt32 { 0xC0FF_EE00 }
}

/// What becomes of readings while the broker is away.
@Suite struct KeepingTests {
  private let module = ProbeModule("air")
  private let calendar = Calendar()

  private func bench(version: MQTTVersion = .v5) throws -> DeviceBench {
    let bench = try DeviceBench.make([module], clock: calendar.clock, wallClock: calendar) {
      $0.version = version
    }
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
    let (first, second) = (calendar.unixMilliseconds ?? 0, (calendar.unixMilliseconds ?? 0) + 10_000)
    #expect(bench.device.publish("21.5", as: 1, of: module, keeping: .memory))
    calendar.clock.advance(by: .seconds(10))
    #expect(bench.device.publish("21.6", as: 1, of: module, keeping: .memory))
    calendar.clock.advance(by: .seconds(100))
    bench.comeBack()
    let readings = bench.server.published.filter { $0.topic == "home/den/air/temperature" }
    #expect(readings.map { String(decoding: $0.payload, as: UTF8.self) } == ["21.5", "21.6"])
    #expect(try readings.map(\.properties) == [stamp("\(first)"), stamp("\(second)")])
    #expect(readings.allSatisfy { $0.qos == .atLeastOnce && !$0.retain })
    #expect(bench.device.droppedReadings == 0)
  }

  @Test("a clock that is 14 days behind is set before the broker comes: the time is right, in both forms")
  func setLater() throws {
    let bench = try bench()
    calendar.boot = nil
    #expect(bench.device.publish("21.5", as: 1, of: module, keeping: .memory))
    #expect(
      bench.device.publish(
        "21.6", as: 1, of: module, keeping: .disk(.low), format: .json, quality: "estimated"))
    let taken = calendar.clock.now.milliseconds
    calendar.clock.advance(by: .seconds(3600))
    calendar.boot = 1_764_909_600_000
    bench.comeBack()
    let readings = bench.server.published.filter { $0.topic == "home/den/air/temperature" }
    let time = 1_764_909_600_000 + taken
    #expect(
      readings.map { String(decoding: $0.payload, as: UTF8.self) } == [
        "21.5", #"{"value":21.6,"sampled":\#(time),"quality":"estimated"}"#,
      ])
    #expect(try readings.map(\.properties) == [stamp("\(time)"), stamp("\(time)")])
  }

  @Test("a clock that was set while readings waited moves them all alike")
  func stepped() throws {
    let bench = try bench(version: .v3_1_1)
    #expect(bench.device.publish("21.5", as: 1, of: module, keeping: .memory, format: .json))
    let taken = calendar.clock.now.milliseconds
    calendar.clock.advance(by: .seconds(60))
    calendar.boot = 1_764_909_600_000
    bench.comeBack()
    #expect(
      bench.server.published.last { $0.topic == "home/den/air/temperature" }.map {
        String(decoding: $0.payload, as: UTF8.self)
      } == #"{"value":21.5,"sampled":\#(1_764_909_600_000 + taken)}"#)
  }

  @Test("an expiry beside the time stays where it is")
  func besides() {
    let times = SampleTimes(clock: calendar.clock, wallClock: calendar)
    var list = PropertyList()
    list.append(.messageExpiryInterval, 60)
    let before = list.bytes
    times.takeStamp()
    times.stampProperties(&list)
    calendar.boot = nil
    let unknown = SampleTimes(clock: calendar.clock, wallClock: calendar)
    #expect(rewritten(times, list.bytes).count == before.count + 25)
    list.removeAll()
    list.append(.messageExpiryInterval, 60)
    unknown.takeStamp()
    unknown.stampProperties(&list)
    #expect(rewritten(unknown, list.bytes) == before)
  }

  @Test("what an earlier run of the board kept has the time that was known then, or none")
  func earlierRun() throws {
    let now = try #require(calendar.unixMilliseconds)
    let before = SampleTimes(clock: OtherRun(), wallClock: calendar)
    var (known, unknown) = (PropertyList(), PropertyList())
    before.takeStamp()
    before.stampProperties(&known)
    calendar.boot = nil
    before.takeStamp()
    before.stampProperties(&unknown)
    calendar.boot = 1_764_909_600_000
    let times = SampleTimes(clock: calendar.clock, wallClock: calendar)
    #expect(try rewritten(times, known.bytes) == stamp("\(now)"))
    #expect(rewritten(times, unknown.bytes) == [])
  }

  private func rewritten(_ times: SampleTimes, _ properties: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    let payload = Array("21.5".utf8)
    _ = times.rewrite(properties.span, payload.span) { properties, payload in
      result = properties.withUnsafeBufferPointer { Array($0) }
      return payload.count == 4
    }
    return result
  }

  @Test("a reading whose time nobody ever knew carries none, and one on 3.1.1 cannot")
  func withoutTime() throws {
    let bench = try bench()
    calendar.boot = nil
    #expect(bench.device.publish("21.5", as: 1, of: module, keeping: .disk(.high)))
    bench.comeBack()
    #expect(bench.server.published.last { $0.topic == "home/den/air/temperature" }?.properties == [])
    let old = try self.bench(version: .v3_1_1)
    calendar.boot = 1
    #expect(old.device.publish("21.5", as: 1, of: module, keeping: .memory))
    old.comeBack()
    #expect(old.server.published.contains { $0.topic == "home/den/air/temperature" })
    #expect(old.server.faults.isEmpty)
  }

  @Test("as JSON a reading tells its time in every version, and leaves out a time that is not known")
  func json() throws {
    let bench = try bench(version: .v3_1_1)
    let time = calendar.unixMilliseconds ?? 0
    #expect(bench.device.publish("21.5", as: 1, of: module, keeping: .memory, format: .json))
    calendar.boot = nil
    #expect(bench.device.publish("21.6", as: 1, of: module, keeping: .memory, format: .json))
    bench.comeBack()
    let readings = bench.server.published.filter { $0.topic == "home/den/air/temperature" }
    #expect(
      readings.map { String(decoding: $0.payload, as: UTF8.self) } == [
        #"{"value":21.5,"sampled":\#(time)}"#, #"{"value":21.6}"#,
      ])
  }

  @Test("a reading tells one time, in its properties and as JSON")
  func oneTime() throws {
    let bench = try DeviceBench.make([module], clock: calendar.clock, wallClock: Running()) {
      $0.version = .v5
    }
    bench.start()
    bench.loseBroker()
    #expect(bench.device.publish("21.5", as: 1, of: module, keeping: .memory, format: .json))
    bench.comeBack()
    let reading = try #require(bench.server.published.last { $0.topic == "home/den/air/temperature" })
    let payload = String(decoding: reading.payload, as: UTF8.self)
    let time = payload.dropFirst(#"{"value":21.5,"sampled":"#.utf8.count).dropLast()
    #expect(time.count == 13)
    #expect(try reading.properties == stamp(String(time)))
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
