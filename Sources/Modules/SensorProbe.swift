import Drivers
import HAL
import Units

/// Measures with one chip on a work queue, in two phases. The module sees only this; which driver is
/// behind it is the composition root's choice.
public protocol SensorProbe: AnyObject {
  var owner: (any SensorProbeOwner)? { get set }
  /// What the last phase gave.
  var outcome: ProbeOutcome { get }
  /// Begins a conversion on the bus's queue; the owner hears of its end.
  func start()
  /// Fetches the result on the bus's queue; the owner hears of its end.
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

/// The values of one measurement; no chip of ours has more than eight.
public struct Readings: Sendable {
  private var readings = InlineArray<8, Reading>(repeating: Reading(.temperature, thousandths: 0))
  public private(set) var count = 0

  public init() {}

  public subscript(index: Int) -> Reading { readings[index] }

  mutating func append(_ reading: Reading) {
    precondition(count < 8, "a measurement has at most eight values")
    readings[count] = reading
    count += 1
  }
}

/// A probe for one driver.
public final class DriverProbe<Driver: Sensor>: SensorProbe, Work {
  public var owner: (any SensorProbeOwner)?
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
    var readings = Readings()
    try driver.collect().forEachReading { readings.append($0) }
    return .measured(readings)
  }
}
