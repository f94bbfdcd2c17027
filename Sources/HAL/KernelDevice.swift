/// A device that a driver of the kernel reads for us: its directory below `/sys`, found by the device's name. 1-Wire
/// thermometers, IIO and hwmon chips have one attribute a file, as text.
///
/// A read blocks for as long as the kernel's driver takes (a DS18B20 converts for 750 ms), so it is made from a
/// `WorkQueue` of the device's own bus, never from the event loop.
public protocol KernelDevice: AnyObject {
  /// Reads the attribute anew into the start of `text` and answers how many bytes that took; what does not fit is
  /// cut off. `.noAcknowledge`: the kernel knows no such device (any more).
  func read(_ attribute: StaticString, into text: inout MutableSpan<UInt8>) throws(BusError) -> Int
}
