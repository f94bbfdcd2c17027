import HAL

/// A chip that gives a bus more pins. Pins are numbered from 0, and pin n is bit n of every mask; levels are
/// those on the wire, 1 is high.
///
///     let found = try chip.adopt()               // what it has been doing since before the program started
///     try chip.write(PortState(…))               // levels first, then which pins are driven
///     let isThere = try chip.holds(PortState(…))   // read back
///
/// All of them make blocking transfers: they run on the bus's work queue. A driver keeps no state of its own.
public protocol PortExpander: SendableMetatype {
  /// What device files call it.
  static var name: StaticString { get }
  /// Other parts that this is the driver of, with spaces between them.
  static var parts: StaticString { get }
  /// The address of a chip whose address pins are all low.
  static var defaultAddress: UInt8 { get }
  /// Whether the chip's address pins can be wired to give this address.
  static func allows(address: UInt8) -> Bool
  /// At most 32.
  static var pinCount: Int { get }
  static var powerUp: ExpanderPowerUp { get }
  /// What the datasheet calls a pin, such as `GPA3`.
  static func name(of pin: Int) -> PinName

  /// A driver for the chip at the other end. Makes no transfer.
  init(_ device: any I2CDevice)

  /// Sets up all that is neither level nor direction, as the other calls need it. Changes no pin.
  mutating func prepare() throws(BusError)

  /// Reads levels and directions, which a chip keeps while a program restarts. Needs `prepare`.
  mutating func read() throws(BusError) -> PortState

  /// Sets the levels, and only then which pins are driven: none is ever driven with an old level.
  mutating func write(_ state: PortState) throws(BusError)

  /// Whether the chip shows what was written, as far as it can be read back: after a loss of power it does not.
  mutating func holds(_ state: PortState) throws(BusError) -> Bool

  /// The levels on all pins, driven or not.
  mutating func levels() throws(BusError) -> UInt32
}

extension PortExpander {
  public static var parts: StaticString { "" }

  public static func allows(address: UInt8) -> Bool { address >= 0x20 && address <= 0x27 }

  public mutating func prepare() throws(BusError) {}

  public mutating func holds(_ state: PortState) throws(BusError) -> Bool { try read() == state }

  /// Prepares the chip and reads what it has been doing.
  public mutating func adopt() throws(BusError) -> PortState {
    try prepare()
    return try read()
  }

  /// All of the chip's pins.
  public static var allPins: UInt32 { UInt32(truncatingIfNeeded: (UInt64(1) << UInt64(pinCount)) - 1) }

  /// The pin of that name, or of that decimal number; nil: the chip has no such pin.
  public static func pin(named name: Span<UInt8>) -> Int? {
    for pin in 0..<pinCount where Self.name(of: pin).matches(name) { return pin }
    var number = 0
    for index in 0..<name.count {
      guard index < 2, name[index] >= 0x30, name[index] <= 0x39 else { return nil }
      number = number * 10 + Int(name[index] - 0x30)
    }
    return name.count > 0 && number < pinCount ? number : nil
  }
}

/// What an expander's pins are set to.
public struct PortState: Equatable, Sendable {
  /// The level of each pin that is driven: 1 is high.
  public var latch: UInt32
  /// The pins that are driven.
  public var outputs: UInt32

  public init(latch: UInt32, outputs: UInt32) {
    self.latch = latch
    self.outputs = outputs
  }
}

/// What an expander's pins do from the moment it has power until the first transfer.
public enum ExpanderPowerUp: Equatable, Sendable {
  /// They are inputs: a pull, or nothing, decides.
  case inputs
  /// They are high, through a weak current source.
  case weaklyHigh
}

/// A pin's name: two to four characters.
public struct PinName: Sendable {
  private let bytes: InlineArray<4, UInt8>
  public let count: Int

  /// A name that ends with zeros is that much shorter.
  init(_ bytes: InlineArray<4, UInt8>) {
    self.bytes = bytes
    var count = 4
    while count > 0 && bytes[count - 1] == 0 { count -= 1 }
    self.count = count
  }

  public subscript(index: Int) -> UInt8 { bytes[index] }

  /// The same characters, capital or not.
  public func matches(_ other: Span<UInt8>) -> Bool {
    guard other.count == count else { return false }
    for index in 0..<count {
      let isSmall = other[index] >= 0x61 && other[index] <= 0x7A
      if bytes[index] != (isSmall ? other[index] - 0x20 : other[index]) { return false }
    }
    return true
  }
}

/// Registers of 8 bits at 8-bit numbers, two of which make one of 16 with the lower pins first.
struct ExpanderRegisters {
  let device: any I2CDevice

  /// `S addr+W register low P`
  func write8(_ register: UInt8, _ value: UInt32) throws(BusError) {
    let bytes: InlineArray<2, UInt8> = [register, UInt8(truncatingIfNeeded: value)]
    try device.write(bytes.span)
  }

  /// `S addr+W register low high P`
  func write16(_ register: UInt8, _ value: UInt32) throws(BusError) {
    let bytes: InlineArray<3, UInt8> = [
      register, UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8),
    ]
    try device.write(bytes.span)
  }

  /// `S addr+W register Sr addr+R low N P`
  func read8(_ register: UInt8) throws(BusError) -> UInt32 {
    let pointer: InlineArray<1, UInt8> = [register]
    var answer = InlineArray<1, UInt8>(repeating: 0)
    var bytes = answer.mutableSpan
    try device.write(pointer.span, thenReadInto: &bytes)
    return UInt32(answer[0])
  }

  /// `S addr+W register Sr addr+R low A high N P`
  func read16(_ register: UInt8) throws(BusError) -> UInt32 {
    let pointer: InlineArray<1, UInt8> = [register]
    var answer = InlineArray<2, UInt8>(repeating: 0)
    var bytes = answer.mutableSpan
    try device.write(pointer.span, thenReadInto: &bytes)
    return UInt32(answer[0]) | UInt32(answer[1]) << 8
  }
}
