import HAL
import Units

/// A chip that measures. Conversions have two phases, so that nobody waits for a chip: `start` begins
/// one and says how long it takes, `collect` fetches the result after that time.
///
/// Both make blocking transfers: they run on the bus's work queue. A driver keeps no stale value:
/// after an error the next `start` begins anew, including the identity check where the chip has one.
public protocol Sensor {
  associatedtype Measurement: Drivers.Measurement

  /// Begins a conversion; the answer is how long to wait before `collect`.
  mutating func start() throws(SensorError) -> Duration

  /// Fetches what `start` began.
  mutating func collect() throws(SensorError) -> Measurement
}

/// What one conversion of a chip yields: a struct of `Units` values.
public protocol Measurement: Equatable, Sendable {
  /// Calls `body` once for each value, in the order in which they are published.
  func forEachReading(_ body: (Reading) -> Void)
}

/// Why a measurement failed.
public enum SensorError: Error, Equatable, Sendable {
  /// The transfer failed.
  case bus(I2CError)
  /// The chip answered, but what came is damaged: the checksum does not match.
  case checksum
  /// Another chip answers at this address; `found` is what its identity register holds.
  case wrongIdentity(found: UInt8)
  /// The conversion was not complete after the time the datasheet gives.
  case notReady
  /// The chip's calibration data or result is outside what the datasheet allows (all zeros or ones).
  case implausible
}
