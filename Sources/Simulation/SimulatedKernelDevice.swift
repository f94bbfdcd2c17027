import HAL

/// A chip together with the kernel's driver for it, as a reader of its files sees them.
public protocol KernelDeviceModel: AnyObject {
  /// Writes the attribute's text into the start of `text`; how many bytes that took. A flipped bit is one on the
  /// chip's own wire, which the kernel's driver may notice.
  func read(
    _ attribute: StaticString, into text: inout MutableSpan<UInt8>, fault: Fault?
  ) throws(BusError) -> Int
}

/// A device's directory below `/sys`, with a model behind it.
public final class SimulatedKernelDevice: SimulatedTarget, KernelDevice {
  /// The chip; none: there is no such directory.
  public var model: (any KernelDeviceModel)?

  public init(_ model: (any KernelDeviceModel)? = nil) {
    self.model = model
    super.init()
  }

  public func read(_ attribute: StaticString, into text: inout MutableSpan<UInt8>) throws(BusError) -> Int {
    let fault = beginTransfer()
    switch fault {
    case .absent: throw failed(.noAcknowledge)
    case .busy: throw failed(.busy)
    case .hang: throw failed(.timeout)
    default: break
    }
    guard let model else { throw failed(.noAcknowledge) }
    do throws(BusError) {
      let length = try model.read(attribute, into: &text, fault: fault)
      let shown = fault == .shortAnswer ? length / 2 : length
      count(bytes: shown)
      return shown
    } catch {
      throw failed(error)
    }
  }
}

/// Text that a model of the kernel writes.
struct KernelText {
  private var bytes = InlineArray<96, UInt8>(repeating: 0)
  private var count = 0

  mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { for byte in $0 { append(byte) } }
  }

  /// `4b`
  mutating func append(hex byte: UInt8) {
    append(digit: byte >> 4)
    append(digit: byte & 15)
  }

  mutating func append(decimal number: Int64) {
    if number < 0 { append(UInt8(ascii: "-")) }
    append(digitsOf: number.magnitude)
  }

  /// Into a reader's buffer; what does not fit is cut off.
  func copy(into text: inout MutableSpan<UInt8>) -> Int {
    let length = min(count, text.count)
    for index in 0..<length { text[index] = bytes[index] }
    return length
  }

  private mutating func append(digit: UInt8) {
    append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
  }

  private mutating func append(digitsOf number: UInt64) {
    if number >= 10 { append(digitsOf: number / 10) }
    append(UInt8(ascii: "0") + UInt8(number % 10))
  }

  private mutating func append(_ byte: UInt8) {
    guard count < bytes.count else { return }
    bytes[count] = byte
    count += 1
  }
}
