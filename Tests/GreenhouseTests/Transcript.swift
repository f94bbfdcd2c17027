import DeviceBench
import HAL

/// What a device published and what happened to it, each with its time. Readings would be thousands of
/// lines: of those there is one line an hour, with a digest of every one of them.
struct Transcript {
  private(set) var lines: [String] = []
  private var hour: Int64 = 0
  private var series: [Series] = []

  private struct Series {
    let topic: String
    var count = 0
    var first = ""
    var last = ""
    /// FNV-1a of time, topic and payload of each reading.
    var digest: UInt64 = 0xCBF2_9CE4_8422_2325
  }

  /// Something happened to the device.
  mutating func note(_ text: String, at now: Instant) {
    endHours(before: now)
    lines.append("\(Transcript.time(now)) > \(text)")
  }

  mutating func record(_ messages: [Published], at now: Instant) {
    endHours(before: now)
    for message in messages {
      if message.isState || message.topic.hasSuffix("/result") {
        lines.append("\(Transcript.time(now))   \(message)")
      } else {
        add(message, at: now)
      }
    }
  }

  /// Ends the hours that are over.
  mutating func endHours(before now: Instant) {
    while now.milliseconds >= (hour + 1) * 3_600_000 {
      hour += 1
      for series in series {
        lines.append(
          "\(Transcript.time(.zero + .seconds(hour * 3_600)))   \(series.topic) \(series.count) times, "
            + "\(series.first) … \(series.last), digest \(String(series.digest, radix: 16))")
      }
      series.removeAll()
    }
  }

  private mutating func add(_ message: Published, at now: Instant) {
    let index: Int
    if let found = series.firstIndex(where: { $0.topic == message.topic }) {
      index = found
    } else {
      index = series.count
      series.append(Series(topic: message.topic, first: message.payload))
    }
    series[index].count += 1
    series[index].last = message.payload
    for byte in "\(now.nanoseconds) \(message)\n".utf8 {
      series[index].digest = (series[index].digest ^ UInt64(byte)) &* 0x100_0000_01B3
    }
  }

  /// `13:00:10.016`
  private static func time(_ instant: Instant) -> String {
    let milliseconds = instant.milliseconds
    func padded(_ value: Int64, _ width: Int) -> String {
      let digits = String(value)
      return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
    return padded(milliseconds / 3_600_000, 2) + ":" + padded(milliseconds / 60_000 % 60, 2) + ":"
      + padded(milliseconds / 1_000 % 60, 2) + "." + padded(milliseconds % 1_000, 3)
  }
}
