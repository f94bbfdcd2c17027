import HAL
import Units

/// What a driver says of its chip before anything is opened: all that a program has to know of it stands here.
public protocol SensorFacts: SendableMetatype {
  associatedtype Measurement: Drivers.Measurement

  /// What device files call it.
  static var name: StaticString { get }

  /// Other parts that this is the driver of, with spaces between them: whoever asks for one is told so.
  static var parts: StaticString { get }

  /// No measurement takes longer but the first, which sets the chip up: none is asked for more often.
  static var shortestPeriod: Duration { get }

  /// Calls `body` once for each channel, in the order in which they are published. At most
  /// `Sensors.maximumChannels`.
  static func forEachChannel(_ body: (Channel) -> Void)
}

extension SensorFacts {
  public static var parts: StaticString { "" }

  public static func forEachChannel(_ body: (Channel) -> Void) { Measurement.forEachChannel(body) }
}

/// Bounds of all sensors.
public enum Sensors {
  /// Channels of one chip.
  public static var maximumChannels: Int { 16 }
}

/// A chip that measures when it is asked. Conversions have two phases, so that nobody waits for a chip: `start`
/// begins one and says how long it takes, `collect` fetches the result after that time.
///
///     var wait = try sensor.start()
///     // … after `wait`:
///     while let more = try sensor.advance() { /* … after `more`: */ }
///     let measurement = try sensor.collect()
///
/// All of them make blocking transfers: they run on the bus's work queue. A driver keeps no stale value:
/// after an error the next `start` begins anew, including the identity check where the chip has one.
///
/// How a driver reaches its chip is said by a refinement: `I2CSensor`, `SPISensor`, `KernelSensor`.
public protocol Sensor: SensorFacts {
  associatedtype Measurement

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

/// A chip at an address of an I2C bus.
public protocol I2CSensor: Sensor {
  /// The address of a chip whose address pins nobody has wired otherwise.
  static var usualAddress: UInt8 { get }

  /// Whether the chip's pins can choose the address.
  static func allows(_ address: UInt8) -> Bool

  /// What tells the chip from others at its address; nil: it cannot be told.
  static var identity: RegisterIdentity? { get }

  /// A driver for the chip at the other end. Makes no transfer.
  init(_ device: any I2CDevice)
}

extension I2CSensor {
  public static var identity: RegisterIdentity? { nil }
}

/// A register that holds the same in every chip of a kind.
public struct RegisterIdentity: Equatable, Sendable {
  public let register: UInt8
  public let value: UInt8
  /// All that it holds in chips of the kind: early ones may have another value.
  public let values: ClosedRange<UInt8>

  public init(register: UInt8, value: UInt8, values: ClosedRange<UInt8>? = nil) {
    self.register = register
    self.value = value
    self.values = values ?? value...value
  }

  /// The kind of chip that holds this there; nil: none that is known.
  public func name(of found: UInt8) -> StaticString? {
    switch (register, found) {
    case (0xD0, 0x50): "BMP3xx"
    case (0xD0, 0x55): "BMP180"
    case (0xD0, 0x56...0x58): "BMP280"
    case (0xD0, 0x60): "BME280"
    case (0xD0, 0x61): "BME680"
    case (0x0D, 0x10): "DPS310"
    default: nil
    }
  }
}

/// A chip with a chip select of an SPI controller.
public protocol SPISensor: Sensor {
  static var mode: SPIMode { get }
  /// The fastest clock, at the lowest supply the chip is used with here (3.3 V or less).
  static var maximumHertz: UInt32 { get }

  /// A driver for the chip at the other end. Makes no transfer.
  init(_ device: any SPIDevice)
}

/// A chip that a driver of the kernel reads: 1-Wire, IIO, hwmon.
public protocol KernelSensor: Sensor {
  /// A driver for the device. Reads nothing.
  init(_ device: any KernelDevice)
}

/// A chip on a serial line, which talks when it likes. Runs on the event loop; nothing of it blocks.
public protocol StreamSensor: SensorFacts {
  associatedtype Measurement

  /// The line's speed; eight bits, no parity, one stop bit.
  static var baud: UInt32 { get }

  /// How long after `ask` a measurement has come, if one comes at all.
  static var longestSilence: Duration { get }

  init()

  /// Makes sure that a measurement comes: sends what the chip wants to hear for that. Called once a period.
  mutating func ask(_ stream: any ByteStream, at now: Instant) throws(SensorError)

  /// Takes one byte that has come; a measurement when it was the last one of it, `.checksum` when it was the last
  /// one of a damaged one.
  mutating func receive(_ byte: UInt8, at now: Instant) throws(SensorError) -> Measurement?
}

/// What one conversion of a chip yields: a struct of `Units` values, each of which a channel publishes.
public protocol Measurement: Equatable, Sendable {
  /// Calls `body` once for each channel, in the order in which they are published.
  static func forEachChannel(_ body: (Channel) -> Void)

  /// Calls `body` once for each channel, with the channels' places counted from 0.
  func forEachReading(_ body: (Reading) -> Void)
}

/// Why a measurement failed.
public enum SensorError: Error, Equatable, Sendable {
  /// The transfer failed.
  case bus(BusError)
  /// The chip answered, but what came is damaged: the checksum does not match, or constants that were
  /// read twice differ.
  case checksum
  /// Another chip answers at this address; `found` is what its identity register holds. 0x00 and 0xFF are what is
  /// read where nobody drives the data line, or somebody holds it.
  case wrongIdentity(found: UInt8)
  /// The conversion was not complete after the time the datasheet gives.
  case notReady
  /// The chip's calibration data or result is outside what the datasheet allows (all zeros or ones).
  case implausible
}
