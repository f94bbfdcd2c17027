import Configuration
import DeviceFile
import DeviceRuntime
import MQTTClient
import Testing

@testable import Modules

struct OutboxTests {
  private func file(_ outbox: String, _ keep: String) -> String {
    """
    device: d
    board: simulator
    mqtt:
      url: mqtt://h
      outbox: \(outbox)
    modules:
      - sensor: air
        driver: SHT3x
        bus: i2c-1
        \(keep)
    """
  }

  private func sensor(_ text: String) throws -> SensorModule {
    try #require(try load(text).device.modules[0] as? SensorModule)
  }

  @Test func `an outbox has a path, a size and what goes when it is full`() throws {
    let full = try load(file("{ path: /o.db, size: 512KiB, drop: priority }", "keep: disk")).device.broker
      .outbox
    #expect(full?.path == "/o.db" && full?.bytes == 512 << 10 && full?.drop == .lowestPriority)
    let bare = try load(file("{ path: /o.db }", "keep: disk")).device.broker.outbox
    #expect(bare?.bytes == 1 << 20 && bare?.drop == .oldest)
    let newest = try load(file("{ path: /o.db, drop: newest, size: 1GiB }", "keep: disk"))
    #expect(newest.device.broker.outbox?.drop == .newest && newest.device.broker.outbox?.bytes == 1 << 30)
    #expect(try load(modules("[]")).device.broker.outbox == nil)
  }

  @Test func `readings are kept nowhere, in memory or on disk, with a priority there`() throws {
    let usual = try sensor(modules("- sensor: air", "  driver: SHT3x", "  bus: i2c-1"))
    #expect(usual.keeping == .nothing)
    #expect(usual.format == .plain)
    #expect(try sensor(sensor8("format: plain")).format == .plain)
    #expect(try sensor(sensor8("format: json")).format == .json)
    let memory = try sensor(modules("- sensor: air", "  driver: SHT3x", "  bus: i2c-1", "  keep: memory"))
    #expect(memory.keeping == .memory)
    let outbox = "{ path: /o.db, drop: priority }"
    #expect(try sensor(file(outbox, "keep: disk")).keeping == .disk(.normal))
    #expect(try sensor(file(outbox, "keep: disk\n    priority: high")).keeping == .disk(.high))
    #expect(try sensor(file(outbox, "keep: disk\n    priority: low")).keeping == .disk(.low))
  }

  @Test func `a summary shows what is kept and where`() throws {
    let text = Summary.text(
      try load(file("{ path: /o.db, drop: priority }", "keep: disk\n    priority: low")))
    #expect(
      text.contains("outbox  /o.db, at most 1MiB, when it is full the oldest of the lowest priority goes\n"))
    #expect(text.contains("sensor air, SHT3x, every 10s, kept on disk with low priority (simulated)"))
  }

  @Test(arguments: [
    (
      "{ size: 1MiB }", "keep: disk",
      "5:11: 'path' is missing in 'outbox'; for example path: /var/lib/swiftlet/outbox.db"
    ),
    (
      "{ path: o.db }", "keep: disk",
      "5:19: 'path' in 'outbox' must be a file with its whole path, not 'o.db'"
    ),
    ("{ path: /o/ }", "keep: disk", "5:19: 'path' in 'outbox' must be a file with its whole path, not '/o/'"),
    (
      "{ path: /o.db, size: 1MB }", "keep: disk",
      "5:32: 'size' in 'outbox' must be a size from 64KiB to 1GiB, like 1MiB, not '1MB'"
    ),
    (
      "{ path: /o.db, size: 63KiB }", "keep: disk",
      "5:32: 'size' in 'outbox' must be a size from 64KiB to 1GiB, like 1MiB, not '63KiB'"
    ),
    (
      "{ path: /o.db, size: 9999999GiB }", "keep: disk",
      "5:32: 'size' in 'outbox' must be a size from 64KiB to 1GiB, like 1MiB, not '9999999GiB'"
    ),
    (
      "{ path: /o.db, drop: old }", "keep: disk",
      "5:32: 'drop' in 'outbox' must be oldest, newest or priority, not 'old'"
    ),
    (
      "/o.db", "keep: disk",
      "5:11: expected a mapping like { path: /var/lib/swiftlet/outbox.db, size: 1MiB }, not '/o.db'"
    ),
    ("{ path: /o.db }", "keep: memory", "5:11: nothing is kept in the outbox; say 'keep: disk' at a sensor"),
    (
      "{ path: /o.db }", "keep: disc",
      "10:11: 'keep' in sensor 'air' must be none, memory or disk, not 'disc'; did you mean 'disk'?"
    ),
  ])
  func `what is wrong is named`(outbox: String, keep: String, error: String) {
    #expect(errors(file(outbox, keep)).first { $0.contains(error) } != nil, "\(errors(file(outbox, keep)))")
  }

  @Test func `disk without an outbox, and priority without disk, are errors`() {
    let text = sensor8("keep: disk")
    #expect(
      errors(text) == [
        "device.yaml:8:11: sensor 'air' is to be kept on disk, and there is no outbox; give 'mqtt' an 'outbox', for example outbox: { path: /var/lib/swiftlet/outbox.db }"
      ])
    #expect(
      errors(sensor8("priority: low")) == [
        "device.yaml:8:15: 'priority' in sensor 'air' has no effect without 'keep: disk'; say 'keep: disk'"
      ])
  }

  private func sensor8(_ line: String) -> String {
    modules("- sensor: air", "  driver: SHT3x", "  bus: i2c-1", "  " + line)
  }
}
