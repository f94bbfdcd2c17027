import Drivers
import HAL
import Simulation
import Testing
import Units

extension PMS5003: StreamPromises {
  static let air = Air((.pm1, 4_000), (.pm25, 12_000), (.pm10, 300_000))
  static let warmUp = Duration.seconds(30)
}

@Suite final class PMS5003Tests {
  let clock = VirtualClock()
  let environment = Environment((.pm1, 4_000), (.pm25, 12_000), (.pm10, 300_000))
  var sensor = PMS5003()

  /// A frame as appendix I describes it, with the masses at both places, and these at the one for the atmosphere.
  func frame(_ pm1: UInt16, _ pm25: UInt16, _ pm10: UInt16, error: UInt8 = 0) -> [UInt8] {
    var frame: [UInt8] = [0x42, 0x4D, 0, 28, 0, 1, 0, 2, 0, 3]
    for word in [pm1, pm25, pm10] { frame += [UInt8(word >> 8), UInt8(word & 0xFF)] }
    frame += [UInt8](repeating: 0, count: 12) + [0x97, error]
    let sum = frame.reduce(0) { $0 + UInt16($1) }
    return frame + [UInt8(sum >> 8), UInt8(sum & 0xFF)]
  }

  /// What comes of these bytes: measurements and errors.
  func feed(_ bytes: [UInt8]) -> (measured: [ParticleMeasurement], errors: [SensorError]) {
    var result: (measured: [ParticleMeasurement], errors: [SensorError]) = ([], [])
    for byte in bytes {
      do throws(SensorError) {
        if let measurement = try sensor.receive(byte, at: clock.now) { result.measured.append(measurement) }
      } catch {
        result.errors.append(error)
      }
    }
    return result
  }

  /// Past the warm-up.
  func warmUp() {
    for _ in 0..<31 {
      _ = feed(frame(0, 0, 0))
      clock.advance(by: .seconds(1))
    }
  }

  @Test("PMS5003: data 4 to 6 of the frame, the masses in the atmosphere")
  func frameLayout() {
    warmUp()
    let result = feed(frame(7, 0x0102, 0xFFFF))
    #expect(result.measured == [ParticleMeasurement(pm1: 7, pm25: 258, pm10: 65_535)])
    #expect(result.errors.isEmpty)
  }

  @Test("PMS5003: answers to commands, which begin like frames, are skipped")
  func answersToCommands() {
    warmUp()
    let result = feed([0x42, 0x4D, 0, 4, 0xE1, 1, 1, 0x75] + frame(4, 5, 6))
    #expect(result.measured == [ParticleMeasurement(pm1: 4, pm25: 5, pm10: 6)] && result.errors.isEmpty)
  }

  @Test("PMS5003: an error code of its own is no value")
  func errorCode() {
    #expect(feed(frame(1, 2, 3, error: 1)).errors == [.implausible])
    #expect(feed(frame(1, 2, 3)).measured.count == 1)
  }

  @Test("PMS5003: values are warming up for 30 s after the first, and again after a pause")
  func quality() {
    func quality() -> Quality? { feed(frame(1, 2, 3)).measured.first?.quality }
    #expect(quality() == .warmingUp)
    for _ in 0..<29 {
      clock.advance(by: .seconds(1))
      #expect(quality() == .warmingUp)
    }
    clock.advance(by: .seconds(1))
    #expect(quality() == .good)
    clock.advance(by: .milliseconds(4_999))
    #expect(quality() == .good)
    clock.advance(by: .seconds(5))
    #expect(quality() == .warmingUp, "it was off, or asleep")
  }

  @Test("PMS5003: one that sleeps, or speaks only when asked, is woken, and one that speaks is left alone")
  func wakes() throws {
    let model = PMS5003Model(environment: environment, clock: clock)
    let stream = SimulatedByteStream(model, clock: clock)
    for byte in [0x42, 0x4D, 0xE4, 0, 0, 0x01, 0x73, 0x42, 0x4D, 0xE1, 0, 0, 0x01, 0x70] as [UInt8] {
      model.receive(byte)
    }
    #expect(model.isAsleep && model.isPassive)
    clock.advance(by: .seconds(10))
    #expect(model.next() == nil)
    try sensor.ask(stream, at: clock.now)
    #expect(!model.isAsleep && !model.isPassive)
    clock.advance(by: .seconds(1))
    while let byte = model.next() { _ = feed([byte]) }
    stream.fault = .busy  // nothing may be written
    try sensor.ask(stream, at: clock.now)
    clock.advance(by: .seconds(5))
    #expect(throws: SensorError.bus(.busy)) { try sensor.ask(stream, at: clock.now) }
  }

  @Test("PMS5003: it has three channels of whole micrograms")
  func channels() {
    var names: [String] = []
    PMS5003.forEachChannel {
      names.append($0.name.description)
      #expect($0.scale == 0 && $0.decimals == 0)
    }
    #expect(names == ["pm1", "pm25", "pm10"])
    #expect(readings(ParticleMeasurement(pm1: 1, pm25: 2, pm10: 3)).compactMap(\.value) == [1, 2, 3])
  }
}
