import HAL
import Units

/// The usual shape of a chip on I2C: registers of eight bits behind a pointer that moves on with every byte. A model
/// of such a chip says what is in a register, what writing does, and what time has done to it since.
open class RegisterModel: I2CTargetModel {
  /// What the bytes after the first are in a write of several.
  public enum Writes: Sendable {
    /// Values for the register and those after it.
    case consecutive
    /// Each further register number is followed by its value.
    case pairs
  }

  public let environment: Environment
  public let clock: any MonotonicClock
  private let writes: Writes
  private var pointer: UInt8 = 0

  public init(environment: Environment, clock: any MonotonicClock, writes: Writes) {
    self.environment = environment
    self.clock = clock
    self.writes = writes
  }

  /// What the register holds, or does when it is read.
  open func read(_ register: UInt8, fault: Fault?) -> UInt8 { 0 }

  /// What writing the register does.
  open func write(_ register: UInt8, _ value: UInt8) {}

  /// Brings the registers to the present.
  open func settle(_ fault: Fault?) {}

  public final func receive(_ bytes: Span<UInt8>, fault: Fault?) -> Bool {
    settle(fault)
    guard bytes.count > 0 else { return true }
    pointer = bytes[0]
    for index in 1..<bytes.count {
      if writes == .consecutive {
        write(pointer, bytes[index])
        pointer &+= 1
      } else if index % 2 == 1 {
        write(pointer, bytes[index])
      } else {
        pointer = bytes[index]
      }
    }
    return true
  }

  public final func send(into bytes: inout MutableSpan<UInt8>, fault: Fault?) -> Bool {
    settle(fault)
    for index in 0..<bytes.count {
      bytes[index] = read(pointer, fault: fault)
      pointer &+= 1
    }
    return true
  }
}

/// The shape of the LM75 and its many relatives: four registers behind a pointer that stays where it is, a
/// temperature, a configuration of one byte, and two limits of which some high bits can be written.
open class ThermometerModel: I2CTargetModel {
  public let environment: Environment
  public let clock: any MonotonicClock
  private let limitBits: UInt16
  private var pointer: UInt8 = 0
  /// 75 and 80 °C after power-up.
  private var limits: InlineArray<2, UInt16> = [0x4B00, 0x5000]

  /// What registers 0 and 1 hold.
  public final var temperature: UInt16 = 0
  public final var configuration: UInt8 = 0

  public init(environment: Environment, clock: any MonotonicClock, limitBits: UInt16) {
    self.environment = environment
    self.clock = clock
    self.limitBits = limitBits
  }

  /// What writing the configuration does.
  open func configure(_ value: UInt8) {}

  /// Brings the registers to the present.
  open func settle(_ fault: Fault?) {}

  /// Bits that a reader of the temperature sees besides it.
  open var undefinedBits: UInt16 { 0 }

  public final func receive(_ bytes: Span<UInt8>, fault: Fault?) -> Bool {
    settle(fault)
    guard bytes.count > 0 else { return true }
    pointer = bytes[0] & 0b11
    switch (pointer, bytes.count) {
    case (1, 2): configure(bytes[1])
    case (2, 3), (3, 3):
      limits[Int(pointer) - 2] = (UInt16(bytes[1]) << 8 | UInt16(bytes[2])) & limitBits
    default: break
    }
    return true
  }

  public final func send(into bytes: inout MutableSpan<UInt8>, fault: Fault?) -> Bool {
    settle(fault)
    let value =
      switch pointer {
      case 0: temperature | undefinedBits
      case 1: UInt16(configuration) << 8 | UInt16(configuration)
      default: limits[Int(pointer) - 2]
      }
    for index in 0..<bytes.count {
      bytes[index] = UInt8(truncatingIfNeeded: index % 2 == 0 ? value >> 8 : value)
    }
    return true
  }
}
