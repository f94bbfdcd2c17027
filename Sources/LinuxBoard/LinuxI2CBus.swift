import CI2C
import CLinux
import HAL

/// One I2C controller: `/dev/i2c-1`, or an adapter found by its name. It is opened by its first transfer, and
/// again after it was unplugged.
///
/// Transfers use I2C_RDWR, and libi2c's SMBus calls where the controller can do no more.
/// Source: Linux kernel documentation, "Implementing I2C device drivers in userspace".
public final class LinuxI2CBus {
  private let path: String
  private var file: Int32 = -1
  private var isPlain: Int32 = 0

  /// How long the controller may wait for a stuck bus. The kernel counts in units of 10 ms.
  private static let timeout: UInt32 = 200

  public init(path: String) {
    self.path = path
  }

  /// The target at a 7-bit address. Nothing is sent yet.
  public func device(at address: UInt8) -> any I2CDevice {
    LinuxI2CDevice(bus: self, address: address)
  }

  /// One transfer; 0 or a negative error number. Runs on the bus's work queue only.
  fileprivate func transfer(
    _ address: UInt8, _ out: UnsafeBufferPointer<UInt8>?, _ answer: UnsafeMutableBufferPointer<UInt8>?
  ) -> Int32 {
    if file < 0 {
      let opened = path.withCString { i2c_open($0) }
      if opened < 0 { return opened }
      file = opened
      isPlain = i2c_plain(file)
      _ = i2c_set_timeout(file, LinuxI2CBus.timeout)
    }
    let result = i2c_transfer(
      file, isPlain, address, out?.baseAddress, UInt16(out?.count ?? 0), answer?.baseAddress,
      UInt16(answer?.count ?? 0))
    if result == -ENODEV {
      linux_close(file)
      file = -1
    }
    return result
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

  func write(_ bytes: Span<UInt8>) throws(BusError) {
    let result = bytes.withUnsafeBufferPointer { out in bus.transfer(address, out, nil) }
    if result < 0 { throw BusError(number: -result) }
  }

  func read(into bytes: inout MutableSpan<UInt8>) throws(BusError) {
    let result = bytes.withUnsafeMutableBufferPointer { answer in bus.transfer(address, nil, answer) }
    if result < 0 { throw BusError(number: -result) }
  }

  func write(_ bytes: Span<UInt8>, thenReadInto answer: inout MutableSpan<UInt8>) throws(BusError) {
    let result = bytes.withUnsafeBufferPointer { out in
      answer.withUnsafeMutableBufferPointer { answer in bus.transfer(address, out, answer) }
    }
    if result < 0 { throw BusError(number: -result) }
  }
}

extension BusError {
  /// Source: Linux kernel documentation, "I2C/SMBUS Fault Codes".
  init(number: Int32) {
    switch number {
    case ENXIO, EREMOTEIO: self = .noAcknowledge
    case EAGAIN, EBUSY: self = .busy
    case ETIMEDOUT: self = .timeout
    case ENODATA, EPROTO: self = .shortTransfer
    case ENOENT, ENODEV: self = .noController
    case -Int32(I2C_NO_DRIVER): self = .noDriver
    case -Int32(I2C_NO_NODE): self = .noNode
    case EACCES, EPERM: self = .notPermitted
    default: self = .system(number)
    }
  }
}
