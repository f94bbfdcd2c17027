/// Why a transfer on a bus failed: I2C, SPI, 1-Wire and serial lines alike.
public enum BusError: Error, Equatable, Sendable {
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
  /// The controller is there, but the kernel's driver that lets programs use it is not.
  case noDriver
  /// Controller and driver are there, but no file to open them by.
  case noNode
  /// The controller may not be used by this user.
  case notPermitted
  /// Another refusal; the code is the system's error number.
  case system(Int32)
}
