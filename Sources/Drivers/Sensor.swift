import HAL
import Units

/// A chip that measures. Conversions have two phases, so that nobody waits for a chip: `start` begins
/// one and says how long it takes, `collect` fetches the result after that time.
///
///     var wait = try sensor.start()
///     // … after `wait`:
///     while let more = try sensor.advance() { /* … after `more`: */ }
///     let measurement = try sensor.collect()
///
/// All of them make blocking transfers: they run on the bus's work queue. A driver keeps no stale value:
/// after an error the next `start` begins anew, including the identity check where the chip has one.
public protocol Sensor {
  associatedtype Measurement: Drivers.Measurement

  /// The address of a chip whose address pins nobody has wired otherwise.
  static var defaultAddress: UInt8 { get }

  /// The addresses the chip can be set to.
  static var addresses: ClosedRange<UInt8> { get }

  /// A driver for the chip at the other end. Makes no transfer.
  init(_ device: any I2CDevice)

  /// Begins a conversion; the answer is how long to wait before `advance` and `collect`.
  mutating func start() throws(SensorError) -> Duration

  /// Goes on to the next conversion of a chip that makes several for one measurement: the answer is how
  /// long to wait again, or nil when it is time to collect. Most chips convert once: nil from the outset.
  mutating func advance() throws(SensorError) -> Duration?

  /// Fetches what `start` began. Without a `start` before it: `.notReady`.
  mutating func collect() throws(SensorError) -> Measurement
}

extension Sensor {
  public mutating func advance() throws(SensorError) -> Duration? { nil }
}

/// What one conversion of a chip yields: a struct of `Units` values.
public protocol Measurement: Equatable, Sendable {
  /// Calls `body` once for each value, in the order in which they are published.
  func forEachReading(_ body: (Reading) -> Void)
}

/// Why a measurement failed.
public enum SensorError: Error, Equatable, Sendable {
  /// The transfer failed.
  case bus(BusError)
  /// The chip answered, but what came is damaged: the checksum does not match, or constants that were
  /// read twice differ.
  case checksum
  /// Another chip answers at this address; `found` is what its identity register holds.
  case wrongIdentity(found: UInt8)
  /// The conversion was not complete after the time the datasheet gives.
  case notReady
  /// The chip's calibration data or result is outside what the datasheet allows (all zeros or ones).
  case implausible
}
