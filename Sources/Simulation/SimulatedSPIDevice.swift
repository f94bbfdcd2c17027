import HAL

/// A chip as its SPI controller sees it.
public protocol SPITargetModel: AnyObject {
  /// Chip select is low while all of `bytes` comes; `answer`, as long, is what it sends meanwhile. It arrives here
  /// filled with ones, as a line with a pull-up reads while nobody drives it.
  func transfer(_ bytes: Span<UInt8>, into answer: inout MutableSpan<UInt8>, fault: Fault?)
}

/// A chip select with a model behind it.
public final class SimulatedSPIDevice: SimulatedTarget, SPIDevice {
  /// The chip; none: nobody drives the line.
  public var model: (any SPITargetModel)?

  public init(_ model: (any SPITargetModel)? = nil) {
    self.model = model
    super.init()
  }

  public func transfer(_ bytes: Span<UInt8>, into answer: inout MutableSpan<UInt8>) throws(BusError) {
    let fault = beginTransfer()
    switch fault {
    case .busy: throw failed(.busy)
    case .hang: throw failed(.timeout)
    case .shortAnswer: throw failed(.shortTransfer)
    default: break
    }
    for index in 0..<answer.count { answer[index] = 0xFF }
    if fault != .absent { model?.transfer(bytes, into: &answer, fault: fault) }
    Self.damage(&answer, fault)
    count(bytes: bytes.count)
  }
}
