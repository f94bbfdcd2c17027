import FaultyDisk
import Foundation
import Testing

/// Everything that uses the faulty disk, of which there is one.
@Suite(.serialized) struct FaultyDiskTests {
  init() throws {
    try #require(faulty_disk_install() == 0, "libsqlite3 is missing: scripts/setup build")
  }

  /// Kills and losses of power at any write: what was durable arrives, QoS 1 at least once, QoS 2 exactly
  /// once and in order, and a message of the server is not handled again.
  /// [MQTT-4.3.2-1], [MQTT-4.3.3-1], [MQTT-4.3.3-2], [MQTT-4.4.0-1], [MQTT-4.6.0-1]
  @Test func aDeviceThatDiesAtAnyWriteLosesNothingItPromisedToKeep() throws {
    let wanted = ProcessInfo.processInfo.environment["SWIFTLET_CRASH_RUNS"].flatMap { Int($0) } ?? 100
    var deaths = 0
    for seed in 1...wanted {
      let run = try CrashRun(seed: UInt64(seed))
      try run.run()
      deaths += run.deaths
      #expect(run.complaints == [], "seed \(seed)")
    }
    #expect(deaths >= wanted)
  }
}
