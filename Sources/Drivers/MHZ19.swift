import HAL
import Units

/// MH-Z19 (also B and C): CO₂ in the air, 0 … 5000 ppm (10000 in some) in steps of 1 ppm, ±50 ppm ±5 %.
///
/// It answers when it is asked.
///
/// - `ask` writes 9 bytes; the answer, 9 bytes, takes 10 ms on the line.
/// - `.checksum` when the sum of an answer does not match; `.implausible` above 10000 ppm. A start in the middle of an
///   answer, and bytes between answers, are skipped. `.bus` when the stream does not take the question.
/// - For three minutes after the first answer, or the first after a question without one, values are `warmingUp`. A
///   program that has just begun cannot know how long the chip has been on.
///
/// Source: Winsen *MH-Z19B User's Manual*: "Main parameters" (preheat time), "Commands" (0x86, with its example),
/// "Checksum calculation method".
public struct MHZ19: StreamSensor {
  public static var name: StaticString { "MH-Z19" }
  public static var shortestPeriod: Duration { .seconds(2) }
  public static var baud: UInt32 { 9_600 }
  public static var longestSilence: Duration { .milliseconds(200) }

  private static var warmUp: Duration { .seconds(180) }

  private var frame = FrameWindow<9, 2>(header: [0xFF, 0x86])
  private var isAsked = false
  /// When the chip was first heard of.
  private var since: Instant?

  public init() {}

  public mutating func ask(_ stream: any ByteStream, at now: Instant) throws(SensorError) {
    if isAsked { since = nil }  // no answer to the last question: it was off, or is
    let question: InlineArray<9, UInt8> = [0xFF, 0x01, 0x86, 0, 0, 0, 0, 0, 0x79]
    do { try stream.write(question.span) } catch { throw .bus(error) }
    isAsked = true
  }

  public mutating func receive(_ byte: UInt8, at now: Instant) throws(SensorError)
    -> CarbonDioxideMeasurement?
  {
    guard frame.append(byte) else { return nil }
    let bytes = frame.bytes
    // With the checksum, all bytes but the first add up to nothing.
    var sum: UInt8 = 0
    for index in 1..<9 { sum &+= bytes[index] }
    guard sum == 0 else {
      frame.reject()
      throw .checksum
    }
    frame.accept()
    isAsked = false
    let ppm = bytes.bigEndian16(at: 2)
    guard ppm <= 10_000 else { throw .implausible }
    let first = since ?? now
    since = first
    return CarbonDioxideMeasurement(ppm: ppm, quality: now - first < Self.warmUp ? .warmingUp : .good)
  }
}

/// What a CO₂ sensor yields: parts per million.
public struct CarbonDioxideMeasurement: Measurement {
  public var ppm: UInt16
  public var quality: Quality

  public init(ppm: UInt16, quality: Quality = .good) {
    self.ppm = ppm
    self.quality = quality
  }

  public static func forEachChannel(_ body: (Channel) -> Void) {
    body(Channel(.co2, decimals: 0, scale: 0))
  }

  public func forEachReading(_ body: (Reading) -> Void) {
    body(Reading(0, Int64(ppm), quality))
  }
}
