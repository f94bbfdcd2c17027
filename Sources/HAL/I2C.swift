/// One target at one address of an I2C bus, as its controller sees it.
///
/// Each call is one transfer on the wire and blocks until it ended or failed, so it is made from a
/// bus's `WorkQueue`, never from the event loop. Notation: S start, Sr repeated start, P stop.
public protocol I2CDevice: AnyObject {
  /// `S addr+W A data A … P`
  func write(_ bytes: Span<UInt8>) throws(I2CError)

  /// `S addr+R A data … N P`: fills all of `bytes`.
  func read(into bytes: inout MutableSpan<UInt8>) throws(I2CError)

  /// `S addr+W A data A … Sr addr+R A data … N P`: a register read; nobody else gets between.
  func write(_ bytes: Span<UInt8>, thenReadInto answer: inout MutableSpan<UInt8>) throws(I2CError)
}

/// Why a transfer failed.
public enum I2CError: Error, Equatable, Sendable {
  /// The target did not acknowledge: absent, unpowered, or busy with a conversion.
  case noAcknowledge
  /// The bus is held by somebody else or arbitration was lost.
  case busy
  /// The controller gave up waiting: a line is stuck, or a target stretches the clock for ever.
  case timeout
  /// Fewer bytes came than were asked for.
  case shortTransfer
  /// There is no such controller: not enabled, or unplugged.
  case noController
  /// The controller may not be used by this user.
  case notPermitted
  /// Another refusal; the code is the system's error number.
  case system(Int32)
}
