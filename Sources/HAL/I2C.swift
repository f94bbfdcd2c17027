/// One target at one address of an I2C bus, as its controller sees it.
///
/// Each call is one transfer on the wire and blocks until it ended or failed, so it is made from a
/// bus's `WorkQueue`, never from the event loop. Notation: S start, Sr repeated start, P stop.
public protocol I2CDevice: AnyObject {
  /// `S addr+W A data A … P`
  func write(_ bytes: Span<UInt8>) throws(BusError)

  /// `S addr+R A data … N P`: fills all of `bytes`.
  func read(into bytes: inout MutableSpan<UInt8>) throws(BusError)

  /// `S addr+W A data A … Sr addr+R A data … N P`: a register read; nobody else gets between.
  func write(_ bytes: Span<UInt8>, thenReadInto answer: inout MutableSpan<UInt8>) throws(BusError)
}
