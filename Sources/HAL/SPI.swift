/// Which clock edge carries a bit: SPI's polarity (CPOL) and phase (CPHA).
public enum SPIMode: UInt8, Sendable {
  /// Idle low, sampled on the rising edge.
  case mode0
  /// Idle low, sampled on the falling edge.
  case mode1
  /// Idle high, sampled on the falling edge.
  case mode2
  /// Idle high, sampled on the rising edge.
  case mode3
}

/// One chip select of an SPI controller, with the mode and the speed it was opened with.
///
/// Each call is one transfer on the wire and blocks until it ended or failed, so it is made from the controller's
/// `WorkQueue`, never from the event loop. Nobody acknowledges on SPI: a chip that is absent reads as ones or zeros.
public protocol SPIDevice: AnyObject {
  /// Selects the chip, sends `bytes` while it fills `answer`, which is as long, and releases the chip.
  func transfer(_ bytes: Span<UInt8>, into answer: inout MutableSpan<UInt8>) throws(BusError)
}
