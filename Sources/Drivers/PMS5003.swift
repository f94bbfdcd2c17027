import HAL
import Units

/// PMS5003: particles in the air, PM1.0, PM2.5 and PM10 as they are in the atmosphere, in steps of 1 µg/m³,
/// ±10 µg/m³ up to 100, ±10 % above. The PMS7003 and the PMSA003 speak the same.
///
/// It sends a frame of 32 bytes every 200 ms … 2.3 s by itself. A chip that another program has sent to sleep, or
/// told to speak only when asked, is told otherwise whenever nothing has come for five seconds.
///
/// - `ask` writes 14 bytes if nothing has come lately.
/// - `.checksum` when the sum of a frame does not match; `.implausible` when the chip's own error code is not zero.
///   A start in the middle of a frame, and bytes between frames, are skipped. `.bus` when the stream does not take
///   the commands.
/// - For 30 s after it was first heard, or heard again after a pause, values are `warmingUp`: the fan has to
///   reach its speed.
///
/// Source: Plantower *PMS5003 series data manual*, V2.3: "Technical Index", "Circuit Attentions" (stable data after
/// 30 s), appendix I "Transport Protocol—Active Mode", appendix II "Transport Protocol—Passive Mode". It has no
/// worked example.
public struct PMS5003: StreamSensor {
  public static var name: StaticString { "PMS5003" }
  public static var shortestPeriod: Duration { .seconds(3) }
  public static var baud: UInt32 { 9_600 }
  public static var longestSilence: Duration { .milliseconds(2_500) }

  private static var warmUp: Duration { .seconds(30) }
  /// Twice the longest interval between frames: the chip does not speak.
  private static var pause: Duration { .seconds(5) }

  /// Two start characters, and the length of what follows them.
  private var frame = FrameWindow<32, 4>(header: [0x42, 0x4D, 0, 28])
  /// When the chip was first heard of, and last.
  private var since: Instant?
  private var last: Instant?

  public init() {}

  public mutating func ask(_ stream: any ByteStream, at now: Instant) throws(SensorError) {
    if let last, now - last < Self.pause { return }
    since = nil
    // Awake, then speaking by itself: the last two bytes are the sum of those before them.
    let commands: InlineArray<14, UInt8> = [
      0x42, 0x4D, 0xE4, 0x00, 0x01, 0x01, 0x74, 0x42, 0x4D, 0xE1, 0x00, 0x01, 0x01, 0x71,
    ]
    do { try stream.write(commands.span) } catch { throw .bus(error) }
  }

  public mutating func receive(_ byte: UInt8, at now: Instant) throws(SensorError) -> ParticleMeasurement? {
    guard frame.append(byte) else { return nil }
    let bytes = frame.bytes
    var sum: UInt16 = 0
    for index in 0..<30 { sum &+= UInt16(bytes[index]) }
    guard sum == bytes.bigEndian16(at: 30) else {
      frame.reject()
      throw .checksum
    }
    frame.accept()
    guard bytes[29] == 0 else { throw .implausible }
    return measurement(of: bytes, at: now)
  }

  private mutating func measurement(of bytes: InlineArray<32, UInt8>, at now: Instant) -> ParticleMeasurement
  {
    if let last, now - last >= Self.pause { since = nil }
    let first = since ?? now
    since = first
    last = now
    return ParticleMeasurement(
      pm1: bytes.bigEndian16(at: 10), pm25: bytes.bigEndian16(at: 12), pm10: bytes.bigEndian16(at: 14),
      quality: now - first < Self.warmUp ? .warmingUp : .good)
  }
}

/// What a particle counter yields: µg/m³.
public struct ParticleMeasurement: Measurement {
  public var pm1, pm25, pm10: UInt16
  public var quality: Quality

  public init(pm1: UInt16, pm25: UInt16, pm10: UInt16, quality: Quality = .good) {
    self.pm1 = pm1
    self.pm25 = pm25
    self.pm10 = pm10
    self.quality = quality
  }

  public static func forEachChannel(_ body: (Channel) -> Void) {
    body(Channel(.pm1, decimals: 0, scale: 0))
    body(Channel(.pm25, decimals: 0, scale: 0))
    body(Channel(.pm10, decimals: 0, scale: 0))
  }

  public func forEachReading(_ body: (Reading) -> Void) {
    body(Reading(0, Int64(pm1), quality))
    body(Reading(1, Int64(pm25), quality))
    body(Reading(2, Int64(pm10), quality))
  }
}
