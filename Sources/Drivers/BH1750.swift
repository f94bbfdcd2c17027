import HAL
import Units

/// BH1750FVI: light, 0.8 … 54612 lx in steps of 0.83 lx, ±20 %.
///
/// One-time measurements at high resolution; it powers itself down between them.
///
/// - `start` writes 2 bytes, `collect` reads 3 (addresses included); 180 ms in between.
/// - `.bus` when a transfer fails. It has neither identity, nor checksum, nor ready flag: what is read too early,
///   or from a chip that has lost power since, is its previous result, or 0.
/// - A full scale count is published as `estimated`: it is at least that bright.
///
/// Source: ROHM *BH1750FVI Technical Note*, 2009.04 Rev. B: "Electrical Characteristics" (measurement time, 1.2
/// counts a lux), "Instruction Set Architecture", "I2C Bus Access" (addresses, and the example in 4 "Read Format").
public struct BH1750: I2CSensor {
  public static var name: StaticString { "BH1750" }
  public static var shortestPeriod: Duration { .milliseconds(250) }
  public static var usualAddress: UInt8 { 0x23 }
  /// The pin ADDR low or high.
  public static func allows(_ address: UInt8) -> Bool { address == 0x23 || address == 0x5C }

  private let device: any I2CDevice
  private var isMeasuring = false

  public init(_ device: any I2CDevice) {
    self.device = device
  }

  public mutating func start() throws(SensorError) -> Duration {
    isMeasuring = false
    let measureOnce: InlineArray<1, UInt8> = [0x20]
    do { try device.write(measureOnce.span) } catch { throw .bus(error) }
    isMeasuring = true
    return .milliseconds(180)
  }

  public mutating func collect() throws(SensorError) -> LightMeasurement {
    guard isMeasuring else { throw .notReady }
    isMeasuring = false
    var answer = InlineArray<2, UInt8>(repeating: 0)
    var bytes = answer.mutableSpan
    do { try device.read(into: &bytes) } catch { throw .bus(error) }
    let count = Int32(answer.bigEndian16(at: 0))
    // 1.2 counts a lux: 5000/6 thousandths of a lux a count, rounded.
    return LightMeasurement(
      illuminance: Illuminance(milliLux: (count * 2_500 + 1) / 3),
      quality: count == 0xFFFF ? .estimated : .good)
  }
}
