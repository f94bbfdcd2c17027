import DeviceBench
import Foundation
import HAL
import Testing

/// A day of the first example, every message of it, against `examples/greenhouse/transcript.txt`.
@Suite struct GreenhouseTests {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  static let transcript = root.appendingPathComponent("examples/greenhouse/transcript.txt")
  static let recordCommand = "SWIFTLET_RECORD=1 swift test --filter GreenhouseTests"

  static let heading = """
    # A day of this example on the simulated board: what happens to it (>), and every message it publishes,
    # under swiftlet/greenhouse/, each with the time since its start at nine in the morning. "(kept)": QoS 1
    # and retained. Readings, one in ten seconds, are summed up at the end of their hour; the digest is that
    # of all of them with their times.
    #
    # Tests/GreenhouseTests compares. After an intended change:
    #   \(recordCommand)

    """

  func day() throws -> String {
    let greenhouse = try Greenhouse(root: Self.root.path)
    let bench = greenhouse.bench
    var transcript = Transcript()
    transcript.note("the device starts", at: bench.clock.now)
    bench.device.start()
    for event in Day.events.sorted(by: { $0.at < $1.at }) {
      bench.run(until: .zero + event.at) { transcript.record(bench.news(), at: bench.clock.now) }
      transcript.note(event.text, at: bench.clock.now)
      event.act(greenhouse)
      bench.settle()
    }
    bench.run(until: .zero + .seconds(86_400)) { transcript.record(bench.news(), at: bench.clock.now) }
    transcript.note("the device is stopped", at: bench.clock.now)
    bench.device.stop()
    bench.run(for: .seconds(1)) { transcript.record(bench.news(), at: bench.clock.now) }
    let server = bench.server
    #expect(bench.device.isStopped && server.disconnects == 1 && server.faults.isEmpty)
    return Self.heading + transcript.lines.joined(separator: "\n")
      + "\n\(server.published.count) messages on \(server.connects) connections, \(server.pings) pings, "
      + "\(bench.device.droppedReadings) readings dropped\n"
  }

  @Test("a simulated day of the greenhouse goes as it is written down")
  func transcript() throws {
    let now = try day()
    if ProcessInfo.processInfo.environment["SWIFTLET_RECORD"] != nil {
      try now.write(to: Self.transcript, atomically: true, encoding: .utf8)
    }
    let written = try String(contentsOf: Self.transcript, encoding: .utf8)
    guard now != written else { return }
    let (new, old) = (now.split(separator: "\n"), written.split(separator: "\n"))
    let differences = new.difference(from: old).prefix(20).map { change in
      switch change {
      case .insert(let index, let line, _): "line \(index + 1) is now:  \(line)"
      case .remove(let index, let line, _): "line \(index + 1) was:     \(line)"
      }
    }
    Issue.record(
      "the day went otherwise; if that was meant: \(Self.recordCommand)\n\(differences.joined(separator: "\n"))"
    )
  }
}
