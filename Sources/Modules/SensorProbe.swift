import Drivers
import HAL
import Units

/// Measures with one chip, in two phases. The module sees only this; which driver is behind it, and how it reaches
/// its chip, is the composition root's choice.
public protocol SensorProbe: AnyObject {
  var owner: (any SensorProbeOwner)? { get set }
  /// What it measures, the same all its life.
  var channels: [Channel] { get }
  /// What the last phase gave.
  var outcome: ProbeOutcome { get }
  /// Begins a conversion; the owner hears when that is done, perhaps before this returns.
  func start()
  /// Fetches the result; the owner hears when that is done, perhaps before this returns.
  func collect()
}

/// Who waits for a probe.
public protocol SensorProbeOwner: AnyObject {
  func probeCompleted()
}

/// Where a measurement stands.
public enum ProbeOutcome: Sendable {
  /// The chip converts; collect after this time.
  case converting(Duration)
  case measured(Readings)
  case failed(SensorError)
}

/// The values of one measurement. A chip has at most `Sensors.maximumChannels`; more would be left out.
public struct Readings: Sendable {
  public static var capacity: Int { Sensors.maximumChannels }

  private var readings = InlineArray<16, Reading>(repeating: .missing(0))
  public private(set) var count = 0

  public init() {}

  public subscript(index: Int) -> Reading { readings[index] }

  mutating func append(_ reading: Reading) {
    guard count < Readings.capacity else { return }
    readings[count] = reading
    count += 1
  }
}

/// A probe for a driver that makes transfers (I2C, SPI, files of the kernel): they block, so they run on the work
/// queue of what leads to the chip.
public final class DriverProbe<Driver: Sensor>: SensorProbe, Work {
  public var owner: (any SensorProbeOwner)?
  public let channels = Driver.channels
  public private(set) var outcome = ProbeOutcome.converting(.zero)
  private var driver: Driver
  private let queue: any WorkQueue
  private var isCollecting = false

  public init(_ driver: Driver, queue: any WorkQueue) {
    self.driver = driver
    self.queue = queue
  }

  public func start() {
    isCollecting = false
    queue.submit(self)
  }

  public func collect() {
    isCollecting = true
    queue.submit(self)
  }

  public func perform() {
    do throws(SensorError) {
      outcome = isCollecting ? try collected() : .converting(try driver.start())
    } catch {
      outcome = .failed(error)
    }
  }

  public func completed() {
    owner?.probeCompleted()
  }

  private func collected() throws(SensorError) -> ProbeOutcome {
    if let more = try driver.advance() { return .converting(more) }
    return .measured(Readings(try driver.collect()))
  }
}

/// A probe for a chip that talks on a serial line. All of it runs on the event loop: `start` asks the chip, bytes
/// are taken as they come, and `collect` hands over the newest measurement that has come since.
public final class StreamProbe<Driver: StreamSensor>: SensorProbe, ByteStreamObserver {
  public var owner: (any SensorProbeOwner)?
  public let channels = Driver.channels
  public private(set) var outcome = ProbeOutcome.converting(.zero)
  private var driver = Driver()
  private let stream: any ByteStream
  private let clock: any MonotonicClock
  private var newest: Driver.Measurement?
  /// What was wrong since `start`.
  private var failure: SensorError?

  /// Takes the stream for itself.
  public init(_ driver: Driver.Type, stream: any ByteStream, clock: any MonotonicClock) {
    self.stream = stream
    self.clock = clock
    stream.observer = self
  }

  public func start() {
    newest = nil
    failure = nil
    do throws(SensorError) {
      try driver.ask(stream, at: clock.now)
      outcome = .converting(Driver.longestSilence)
    } catch {
      outcome = .failed(error)
    }
    owner?.probeCompleted()
  }

  public func collect() {
    if let newest {
      outcome = .measured(Readings(newest))
    } else {
      outcome = .failed(failure ?? .bus(.noAcknowledge))
    }
    newest = nil
    owner?.probeCompleted()
  }

  public func streamReceived(_ bytes: Span<UInt8>, at now: Instant) {
    for index in bytes.indices {
      do throws(SensorError) {
        if let measurement = try driver.receive(bytes[index], at: now) { newest = measurement }
      } catch {
        failure = error
      }
    }
  }

  public func streamFailed(_ error: BusError) {
    newest = nil
    failure = .bus(error)
  }
}

extension Readings {
  init<Measurement: Drivers.Measurement>(_ measurement: Measurement) {
    var readings = Readings()
    measurement.forEachReading { readings.append($0) }
    self = readings
  }
}

extension SensorFacts {
  /// Its channels as an array, made once.
  fileprivate static var channels: [Channel] {
    var channels: [Channel] = []
    forEachChannel { channels.append($0) }
    return channels
  }
}
