import HAL
import Units

/// BH1750FVI: light, 0.8 … 54612 lx in steps of 0.83 lx, ±20 %.
///
/// One-time measurements at high resolution; it powers itself down between them.
///
/// - `start` writes 2 bytes, `collect` reads 3 (addresses included); 180 ms in between. The first `start`, and the
///   first after an error, writes another 6: the chip is switched on and its measurement time is set to the usual
///   one, since what another program set outlives a restart and changes what a count is.
/// - `.bus` when a transfer fails. It has neither identity, nor checksum, nor ready flag: what is read too early,
///   or from a chip that has lost power since, is its previous result, or 0.
/// - A full scale count is published as `estimated`: it is at least that bright.
///
/// Source: ROHM *BH1750FVI Technical Note*, 2009.04 Rev. B: "Electrical Characteristics" (measurement time, 1.2
/// counts a lux), "Instruction Set Architecture", "Adjust measurement result for influence of optical window", "I2C Bus Access" (addresses, and the example in 4 "Read Format").
public struct BH1750: I2CSensor {
  public static var name: StaticString { "BH1750" }
  public static var shortestPeriod: Duration { .milliseconds(250) }
  public static var usualAddress: UInt8 { 0x23 }
  /// The pin ADDR low or high.
  public static func allows(_ address: UInt8) -> Bool { address == 0x23 || address == 0x5C }

  private enum Instruction {
    static var powerOn: UInt8 { 0x01 }
    static var measureOnce: UInt8 { 0x20 }
    /// With the upper three and the lower five bits of the time.
    static var measurementTimeHigh: UInt8 { 0x40 }
    static var measurementTimeLow: UInt8 { 0x60 }
  }
  /// 1.2 counts a lux, 180 ms.
  private static var usualTime: UInt8 { 69 }

  private let device: any I2CDevice
  /// Its measurement time is the usual one; known while all is well.
  private var isKnown = false
  private var isMeasuring = false
  private var stuck = StuckWatch.ofCoarseSteps

  public init(_ device: any I2CDevice) {
    self.device = device
  }

  public mutating func start() throws(SensorError) -> Duration {
    isMeasuring = false
    let wasKnown = isKnown
    isKnown = false  // until this has gone well
    if !wasKnown {
      try write(Instruction.powerOn)
      try write(Instruction.measurementTimeHigh | Self.usualTime >> 5)
      try write(Instruction.measurementTimeLow | Self.usualTime & 0b1_1111)
    }
    try write(Instruction.measureOnce)
    isMeasuring = true
    return .milliseconds(180)
  }

  private func write(_ instruction: UInt8) throws(SensorError) {
    let bytes: InlineArray<1, UInt8> = [instruction]
    do { try device.write(bytes.span) } catch { throw .bus(error) }
  }

  public mutating func collect() throws(SensorError) -> LightMeasurement {
    guard isMeasuring else { throw .notReady }
    isMeasuring = false
    var answer = InlineArray<2, UInt8>(repeating: 0)
    var bytes = answer.mutableSpan
    do { try device.read(into: &bytes) } catch { throw .bus(error) }
    let count = Int32(answer.bigEndian16(at: 0))
    isKnown = !stuck.take(Int64(count))
    // 1.2 counts a lux: 5000/6 thousandths of a lux a count, rounded.
    return LightMeasurement(
      illuminance: Illuminance(milliLux: (count * 2_500 + 1) / 3),
      quality: count == 0xFFFF ? .estimated : stuck.quality)
  }
}
