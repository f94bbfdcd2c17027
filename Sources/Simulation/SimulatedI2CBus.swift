import HAL

/// A chip as its bus sees it. A model is written from the chip's datasheet alone, never from a driver.
public protocol I2CTargetModel: AnyObject {
  /// Takes the bytes of a write. False: it does not acknowledge.
  func receive(_ bytes: Span<UInt8>, fault: Fault?) -> Bool

  /// Fills all of `bytes` with what it sends when it is read. False: it does not acknowledge.
  func send(into bytes: inout MutableSpan<UInt8>, fault: Fault?) -> Bool
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
public final class SimulatedI2CTarget: SimulatedTarget, I2CDevice {
  public let address: UInt8
  /// The chip; none: nobody acknowledges.
  public var model: (any I2CTargetModel)?

  init(address: UInt8) {
    self.address = address
    super.init()
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

  /// Fails the transfer if its fault is one of the bus; otherwise the fault is the chip's.
  private func begin() throws(BusError) -> Fault? {
    let fault = beginTransfer()
    switch fault {
    case .absent: throw failed(.noAcknowledge)
    case .busy: throw failed(.busy)
    case .hang: throw failed(.timeout)
    case nil, .shortAnswer, .flippedBit, .wrongIdentity, .neverReady: return fault
    }
  }

  private func send(_ bytes: Span<UInt8>, fault: Fault?) throws(BusError) {
    guard let model, model.receive(bytes, fault: fault) else { throw failed(.noAcknowledge) }
    count(bytes: 1 + bytes.count)
  }

  private func receive(into bytes: inout MutableSpan<UInt8>, fault: Fault?) throws(BusError) {
    guard let model, model.send(into: &bytes, fault: fault) else { throw failed(.noAcknowledge) }
    count(bytes: 1 + bytes.count)
    guard bytes.count > 0 else { return }
    if fault == .shortAnswer {
      bytes[bytes.count - 1] = 0
      throw failed(.shortTransfer)
    }
    Self.damage(&bytes, fault)
  }
}
