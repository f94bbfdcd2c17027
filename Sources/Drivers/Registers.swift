import HAL

/// The usual shape of a chip on I2C: registers at 8-bit numbers, consecutive ones read in one go.
struct Registers {
  let device: any I2CDevice

  /// `S addr+W register value P`
  func write(_ register: UInt8, _ value: UInt8) throws(SensorError) {
    let bytes: InlineArray<2, UInt8> = [register, value]
    do { try device.write(bytes.span) } catch { throw .bus(error) }
  }

  /// `S addr+W register Sr addr+R … N P`
  func read<let count: Int>(from register: UInt8) throws(SensorError) -> InlineArray<count, UInt8> {
    let pointer: InlineArray<1, UInt8> = [register]
    var answer = InlineArray<count, UInt8>(repeating: 0)
    var bytes = answer.mutableSpan
    do { try device.write(pointer.span, thenReadInto: &bytes) } catch { throw .bus(error) }
    return answer
  }

  /// `.wrongIdentity` when another chip is there.
  func check(_ identity: RegisterIdentity) throws(SensorError) {
    let found: InlineArray<1, UInt8> = try read(from: identity.register)
    guard identity.values.contains(found[0]) else { throw .wrongIdentity(found: found[0]) }
  }

  /// Reads twice what a driver keeps, such as calibration: a single wrong bit would spoil every value from
  /// then on. `.checksum` when the two differ.
  func readTwice<let count: Int>(from register: UInt8) throws(SensorError) -> InlineArray<count, UInt8> {
    let first: InlineArray<count, UInt8> = try read(from: register)
    let second: InlineArray<count, UInt8> = try read(from: register)
    for index in first.indices where first[index] != second[index] { throw .checksum }
    return first
  }
}

extension InlineArray where Element == UInt8 {
  /// The 16 bits at `index`, most significant byte first.
  func bigEndian16(at index: Int) -> UInt16 {
    UInt16(self[index]) << 8 | UInt16(self[index + 1])
  }

  /// The 16 bits at `index`, least significant byte first.
  func littleEndian16(at index: Int) -> UInt16 {
    UInt16(self[index + 1]) << 8 | UInt16(self[index])
  }

  /// The 24 bits at `index`, most significant byte first.
  func bigEndian24(at index: Int) -> UInt32 {
    UInt32(self[index]) << 16 | UInt32(self[index + 1]) << 8 | UInt32(self[index + 2])
  }
}

/// `value`'s low bits as a two's complement number of that width.
func signed(_ value: UInt32, bits: UInt32) -> Int64 {
  let shift = 32 - bits
  return Int64(Int32(bitPattern: value << shift) >> Int32(shift))
}

/// The quotient rounded half away from zero; the divisor is positive.
func divideRounding(_ dividend: Int64, by divisor: Int64) -> Int64 {
  (dividend + (dividend < 0 ? -divisor : divisor) / 2) / divisor
}
