import HAL

/// A chip as its serial line sees it.
public protocol StreamModel: AnyObject {
  /// Takes one byte that was sent to it.
  func receive(_ byte: UInt8)

  /// The next byte it sends, if it has one to send by now.
  func next() -> UInt8?
}

/// A serial line with a model behind it. Bytes that the model sends arrive when `deliver` is called.
public final class SimulatedByteStream: ByteStream {
  public var observer: (any ByteStreamObserver)?
  /// The chip; none: silence.
  public var model: (any StreamModel)?
  /// What the next writes fail with; nil: they succeed.
  public var fault: BusError?
  /// Every so many bytes one arrives damaged; 0: none does.
  public var damagesEvery = 0
  private var delivered = 0
  private let clock: any MonotonicClock

  public init(_ model: (any StreamModel)? = nil, clock: any MonotonicClock) {
    self.model = model
    self.clock = clock
  }

  public func write(_ bytes: Span<UInt8>) throws(BusError) {
    if let fault { throw fault }
    for index in bytes.indices { model?.receive(bytes[index]) }
  }

  /// Hands what the model has sent by now to the observer, in pieces of at most seven bytes.
  public func deliver() {
    var piece = InlineArray<7, UInt8>(repeating: 0)
    var count = 0
    while let byte = model?.next() {
      delivered += 1
      piece[count] = damagesEvery > 0 && delivered % damagesEvery == 0 ? byte ^ 0x10 : byte
      count += 1
      if count == piece.count {
        observer?.streamReceived(piece.span, at: clock.now)
        count = 0
      }
    }
    if count > 0 { observer?.streamReceived(piece.span.extracting(0..<count), at: clock.now) }
  }

  /// The adapter is unplugged.
  public func fail(_ error: BusError) {
    fault = error
    model = nil
    observer?.streamFailed(error)
  }
}
