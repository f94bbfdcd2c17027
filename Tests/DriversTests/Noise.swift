import HAL
import Simulation

/// Spoils what comes over a wire, the same way each time it is made with the same seed.
final class Noise {
  private var random: Xorshift

  init(seed: UInt64) {
    random = Xorshift(seed: seed)
  }

  /// One of so many.
  func one(of count: UInt64) -> Bool { random.next() % count == 0 }

  func number(below limit: UInt64) -> Int { Int(random.next() % limit) }

  /// Half of the time nothing, otherwise one byte, some, or all.
  func spoil(_ bytes: inout MutableSpan<UInt8>) {
    guard bytes.count > 0 else { return }
    switch random.next() % 8 {
    case 0...3: break
    case 4, 5: bytes[number(below: UInt64(bytes.count))] = random.byte()
    case 6: for index in 0..<bytes.count where one(of: 4) { bytes[index] = random.byte() }
    default: for index in 0..<bytes.count { bytes[index] = random.byte() }
    }
  }
}

/// A chip behind noise. What is asked for twice is mostly spoiled the same way, so that a driver which compares gets
/// further than its doubts.
final class NoisyI2CTarget: I2CTargetModel {
  private let model: any I2CTargetModel
  private let noise: Noise
  private var request: [UInt8] = []
  private var lastRequest: [UInt8] = []
  private var lastAnswer: [UInt8] = []

  init(_ model: any I2CTargetModel, _ noise: Noise) {
    self.model = model
    self.noise = noise
  }

  func receive(_ bytes: Span<UInt8>, fault: Fault?) -> Bool {
    request = bytes.indices.map { bytes[$0] }
    return !noise.one(of: 64) && model.receive(bytes, fault: fault)
  }

  func send(into bytes: inout MutableSpan<UInt8>, fault: Fault?) -> Bool {
    guard model.send(into: &bytes, fault: fault) else { return false }
    if request == lastRequest, lastAnswer.count == bytes.count, !noise.one(of: 8) {
      for index in 0..<bytes.count { bytes[index] = lastAnswer[index] }
    } else {
      noise.spoil(&bytes)
    }
    lastRequest = request
    lastAnswer = []
    for index in 0..<bytes.count { lastAnswer.append(bytes[index]) }
    return true
  }
}

final class NoisySPITarget: SPITargetModel {
  private let model: any SPITargetModel
  private let noise: Noise

  init(_ model: any SPITargetModel, _ noise: Noise) {
    self.model = model
    self.noise = noise
  }

  func transfer(_ bytes: Span<UInt8>, into answer: inout MutableSpan<UInt8>, fault: Fault?) {
    model.transfer(bytes, into: &answer, fault: fault)
    if noise.one(of: 8) { noise.spoil(&answer) }  // a reading may need many transfers
  }
}

final class NoisyKernelDevice: KernelDeviceModel {
  private let model: any KernelDeviceModel
  private let noise: Noise

  init(_ model: any KernelDeviceModel, _ noise: Noise) {
    self.model = model
    self.noise = noise
  }

  func read(
    _ attribute: StaticString, into text: inout MutableSpan<UInt8>, fault: Fault?
  ) throws(BusError) -> Int {
    let count = try model.read(attribute, into: &text, fault: fault)
    noise.spoil(&text)
    return noise.one(of: 8) ? noise.number(below: UInt64(text.count) + 1) : count
  }
}

/// A small generator of repeatable noise.
struct Xorshift {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  /// Half of the time one of the extremes.
  mutating func byte() -> UInt8 {
    let bits = next()
    switch bits >> 32 & 7 {
    case 0: return 0x00
    case 1: return 0xFF
    case 2: return 0x7F
    case 3: return 0x80
    default: return UInt8(truncatingIfNeeded: bits >> 16)
    }
  }

  /// Bytes of which many are extreme.
  mutating func bytes<let count: Int>() -> InlineArray<count, UInt8> {
    var bytes = InlineArray<count, UInt8>(repeating: 0)
    for index in 0..<count { bytes[index] = byte() }
    return bytes
  }
}
