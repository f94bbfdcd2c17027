import DeviceFile
import DeviceRuntime
import HAL
import Units

/// Watches another probe for values that stand still: `stuck_after`. What has been exactly the same for so long is
/// `.estimated`, for nobody knows whether it is measured. Chips whose noise tells have their drivers look sooner.
final class StuckWatchProbe: SensorProbe {
  private let probe: any SensorProbe
  private let longest: Duration
  /// Of each channel.
  private var values: [(number: Int64, since: Instant)?]

  init(_ probe: any SensorProbe, longest: Duration) {
    self.probe = probe
    self.longest = longest
    values = Array(repeating: nil, count: probe.channels.count)
  }

  var owner: (any SensorProbeOwner)? {
    get { probe.owner }
    set { probe.owner = newValue }
  }
  var channels: [Channel] { probe.channels }
  var outcome: ProbeOutcome { probe.outcome }
  func start() { probe.start() }
  func collect() { probe.collect() }

  func review(_ readings: inout Readings, _ place: SensorPlace, at now: Instant) -> FixedText {
    var text = FixedText()
    for index in 0..<readings.count where isStuck(readings[index], at: now) {
      readings.doubt(index)
      if !text.isEmpty { text.append(", ") }
      text.append(channels[Int(readings[index].channel)].name)
    }
    if !text.isEmpty {
      text.append(" exactly the same for ")
      text.append(longest)
      text.append(": is the sensor stuck?")
    }
    let fault = probe.review(&readings, place, at: now)
    return fault.isEmpty ? text : fault
  }

  private func isStuck(_ reading: Reading, at now: Instant) -> Bool {
    let place = Int(reading.channel)
    guard reading.quality.isPublished, place < values.count, let number = reading.value else { return false }
    guard let (last, since) = values[place], last == number else {
      values[place] = (number, now)
      return false
    }
    return now - since >= longest
  }
}

/// How a kind of sensor watches what it measures. A program that does not name it has no key `stuck_after`.
public struct SensorWatch {
  let watched: (any SensorProbe, ModuleFile, _ every: Duration) -> any SensorProbe

  public static var none: SensorWatch { SensorWatch { probe, _, _ in probe } }

  public static var stuckAfter: SensorWatch {
    SensorWatch { probe, file, period in
      let longest = file.fields.optional("stuck_after")?.duration(atLeast: period)
      return longest.map { StuckWatchProbe(probe, longest: $0) } ?? probe
    }
  }
}
