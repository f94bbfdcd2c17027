import CI2C
import CLinux
import HAL

/// One I2C controller: `/dev/i2c-1`, or an adapter found by its name.
///
/// Transfers use I2C_RDWR, and libi2c's SMBus calls where the controller can do no more.
/// Source: Linux kernel documentation, "Implementing I2C device drivers in userspace".
public final class LinuxI2CBus {
  fileprivate let file: Int32
  fileprivate let isPlain: Bool

  /// How long the controller may wait for a stuck bus. The kernel counts in units of 10 ms.
  private static let timeout: UInt32 = 200

  public init(path: String) throws(SystemError) {
    file = try SystemError.check(path.withCString { i2c_open($0) })
    isPlain = i2c_plain(file) == 1
    _ = try SystemError.check(i2c_set_timeout(file, LinuxI2CBus.timeout))
  }

  /// The target at a 7-bit address. Nothing is sent yet.
  public func device(at address: UInt8) -> any I2CDevice {
    LinuxI2CDevice(bus: self, address: address)
  }
}

/// A target on a `LinuxI2CBus`.
final class LinuxI2CDevice: I2CDevice {
  private let bus: LinuxI2CBus
  private let address: UInt8

  init(bus: LinuxI2CBus, address: UInt8) {
    self.bus = bus
    self.address = address
  }

  func write(_ bytes: Span<UInt8>) throws(I2CError) {
    let result = bytes.withUnsafeBufferPointer { out in transfer(out, nil) }
    if result < 0 { throw I2CError(number: -result) }
  }

  func read(into bytes: inout MutableSpan<UInt8>) throws(I2CError) {
    let result = bytes.withUnsafeMutableBufferPointer { answer in transfer(nil, answer) }
    if result < 0 { throw I2CError(number: -result) }
  }

  func write(_ bytes: Span<UInt8>, thenReadInto answer: inout MutableSpan<UInt8>) throws(I2CError) {
    let result = bytes.withUnsafeBufferPointer { out in
      answer.withUnsafeMutableBufferPointer { answer in transfer(out, answer) }
    }
    if result < 0 { throw I2CError(number: -result) }
  }

  private func transfer(
    _ out: UnsafeBufferPointer<UInt8>?, _ answer: UnsafeMutableBufferPointer<UInt8>?
  ) -> Int32 {
    i2c_transfer(
      bus.file, bus.isPlain ? 1 : 0, address, out?.baseAddress, UInt16(out?.count ?? 0),
      answer?.baseAddress, UInt16(answer?.count ?? 0))
  }
}

extension I2CError {
  /// Source: Linux kernel documentation, "I2C/SMBUS Fault Codes".
  init(number: Int32) {
    switch number {
    case ENXIO, EREMOTEIO: self = .noAcknowledge
    case EAGAIN, EBUSY: self = .busy
    case ETIMEDOUT: self = .timeout
    case ENODATA, EPROTO: self = .shortTransfer
    default: self = .system(number)
    }
  }
}
