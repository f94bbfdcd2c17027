import HAL

/// A chip as its bus sees it. A model is written from the chip's datasheet alone, never from a driver.
public protocol I2CTargetModel: AnyObject {
  /// Takes the bytes of a write. False: it does not acknowledge.
  func receive(_ bytes: Span<UInt8>, fault: Fault?) -> Bool

  /// Fills all of `bytes` with what it sends when it is read. False: it does not acknowledge.
  func send(into bytes: inout MutableSpan<UInt8>, fault: Fault?) -> Bool
}

/// What can be wrong with a simulated target.
public enum Fault: Equatable, Sendable {
  /// Nobody acknowledges.
  case absent
  /// Somebody else holds the bus.
  case busy
  /// A line is held low until the controller gives up.
  case hang
  /// Answers end one byte early.
  case shortAnswer
  /// This bit of every answer is inverted (counted from the first byte's highest, modulo its length).
  case flippedBit(Int)
  /// The identity register holds this. Chips without one do not show it.
  case wrongIdentity(UInt8)
  /// Conversions do not end while this lasts.
  case neverReady
}

/// An I2C bus with models of chips on it.
public final class SimulatedI2CBus {
  private var targets: [SimulatedI2CTarget] = []

  public init() {}

  /// Puts a chip on the bus, in the place of any that has the address.
  @discardableResult
  public func attach(_ model: any I2CTargetModel, at address: UInt8) -> SimulatedI2CTarget {
    let target = target(at: address)
    target.model = model
    return target
  }

  /// What is at the address, to inject faults and look at the counters; an empty place has a target too.
  public func target(at address: UInt8) -> SimulatedI2CTarget {
    for target in targets where target.address == address { return target }
    let target = SimulatedI2CTarget(address: address)
    targets.append(target)
    return target
  }

  /// The controller's view of the address, whether or not a chip is there. One per address: making it
  /// allocates, its transfers do not.
  public func device(at address: UInt8) -> any I2CDevice { target(at: address) }
}

/// One address of a simulated bus.
public final class SimulatedI2CTarget: I2CDevice {
  public let address: UInt8
  /// The chip; none: nobody acknowledges.
  public var model: (any I2CTargetModel)?

  /// Transfers so far, including those that failed.
  public private(set) var transfers = 0
  /// Transfers that failed.
  public private(set) var failures = 0
  /// Bytes on the wire in the transfers that succeeded, address bytes included.
  public private(set) var bytesOnWire = 0

  private var fault: Fault?
  private var faultBegins = 0
  private var faultEnds = 0

  init(address: UInt8) {
    self.address = address
  }

  /// Makes transfers fail: from now on for ever, or only `count` of them, `after` as many good ones.
  /// Takes the place of any other fault.
  public func inject(_ fault: Fault, after: Int = 0, count: Int? = nil) {
    self.fault = fault
    faultBegins = transfers + after
    faultEnds = if let count { faultBegins + count } else { .max }
  }

  /// Ends the fault.
  public func heal() {
    fault = nil
  }

  public func write(_ bytes: Span<UInt8>) throws(BusError) {
    let fault = try begin()
    try send(bytes, fault: fault)
  }

  public func read(into bytes: inout MutableSpan<UInt8>) throws(BusError) {
    let fault = try begin()
    try receive(into: &bytes, fault: fault)
  }

  public func write(_ bytes: Span<UInt8>, thenReadInto answer: inout MutableSpan<UInt8>) throws(BusError) {
    let fault = try begin()
    try send(bytes, fault: fault)
    try receive(into: &answer, fault: fault)
  }

  /// Counts the transfer and fails it if its fault is one of the bus; the fault of this transfer.
  private func begin() throws(BusError) -> Fault? {
    let isFaulty = transfers >= faultBegins && transfers < faultEnds
    transfers &+= 1
    guard isFaulty, let fault else { return nil }
    switch fault {
    case .absent: throw failed(.noAcknowledge)
    case .busy: throw failed(.busy)
    case .hang: throw failed(.timeout)
    case .shortAnswer, .flippedBit, .wrongIdentity, .neverReady: return fault
    }
  }

  private func send(_ bytes: Span<UInt8>, fault: Fault?) throws(BusError) {
    guard let model, model.receive(bytes, fault: fault) else { throw failed(.noAcknowledge) }
    bytesOnWire &+= 1 + bytes.count
  }

  private func receive(into bytes: inout MutableSpan<UInt8>, fault: Fault?) throws(BusError) {
    guard let model, model.send(into: &bytes, fault: fault) else { throw failed(.noAcknowledge) }
    bytesOnWire &+= 1 + bytes.count
    guard bytes.count > 0 else { return }
    switch fault {
    case .shortAnswer:
      bytes[bytes.count - 1] = 0
      throw failed(.shortTransfer)
    case .flippedBit(let bit):
      bytes[bit / 8 % bytes.count] ^= 0x80 >> UInt8(bit % 8)
    default:
      break
    }
  }

  private func failed(_ error: BusError) -> BusError {
    failures &+= 1
    return error
  }
}
