import Drivers
import HAL
import Simulation
import Testing
import Units

extension MHZ19: StreamPromises {
  static let air = Air((.co2, 1_234_000))
  static let warmUp = Duration.seconds(180)
}

@Suite final class MHZ19Tests {
  let clock = VirtualClock()
  var sensor = MHZ19()

  func feed(_ bytes: [UInt8]) throws -> CarbonDioxideMeasurement? {
    var last: CarbonDioxideMeasurement?
    for byte in bytes { last = try sensor.receive(byte, at: clock.now) }
    return last
  }

  @Test("MH-Z19: the examples of the manual and of a real chip")
  func examples() throws {
    #expect(try feed([0xFF, 0x86, 0x02, 0x20, 0, 0, 0, 0, 0x58])?.ppm == 544)
    #expect(try feed([0xFF, 0x86, 0x01, 0xC1, 0x3C, 0x04, 0x3C, 0xC1, 0x7B])?.ppm == 449)
  }

  @Test("MH-Z19: the question of the manual, whose answer has its checksum")
  func question() throws {
    let recorder = Recorder()
    try sensor.ask(recorder, at: clock.now)
    #expect(recorder.bytes == [0xFF, 0x01, 0x86, 0, 0, 0, 0, 0, 0x79])
  }

  @Test("MH-Z19: more than any of them measures is implausible")
  func range() throws {
    #expect(try feed([0xFF, 0x86, 0x27, 0x10, 0, 0, 0, 0, 0x43])?.ppm == 10_000)
    #expect(throws: SensorError.implausible) { try feed([0xFF, 0x86, 0x27, 0x11, 0, 0, 0, 0, 0x42]) }
  }

  @Test("MH-Z19: values are warming up for three minutes, and again after a question without an answer")
  func quality() throws {
    let answer: [UInt8] = [0xFF, 0x86, 0x02, 0x20, 0, 0, 0, 0, 0x58]
    func quality() throws -> Quality? {
      try sensor.ask(Recorder(), at: clock.now)
      return try feed(answer)?.quality
    }
    #expect(try quality() == .warmingUp)
    clock.advance(by: .milliseconds(179_999))
    #expect(try quality() == .warmingUp)
    clock.advance(by: .milliseconds(1))
    #expect(try quality() == .good)
    try sensor.ask(Recorder(), at: clock.now)
    #expect(try quality() == .warmingUp)
  }

  private final class Recorder: ByteStream {
    var observer: (any ByteStreamObserver)?
    var bytes: [UInt8] = []
    func write(_ bytes: Span<UInt8>) throws(BusError) {
      for index in bytes.indices { self.bytes.append(bytes[index]) }
    }
  }
}
