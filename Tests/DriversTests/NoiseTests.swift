import Drivers
import HAL
import Simulation
import Testing
import Units

/// Whatever comes over the wire, a driver answers with a value or an error: Swift traps on overflow, so a
/// trap here would be a device that dies of a loose plug.
@Suite struct NoiseTests {
  @Test(
    "25,000 readings through noise, on a bus that fails now and then, crash no driver", arguments: Chip.all)
  func noisyBus(chip: Chip) {
    let noise = Noise(seed: 1)
    let bench = chip.makeBench(Environment(), noise)
    let faults: [Fault] = [
      .absent, .busy, .hang, .shortAnswer, .flippedBit(noise.number(below: 64)), .neverReady,
    ]
    var successes = 0
    var failures = 0
    for _ in 0..<25_000 {
      bench.environment.set(.temperature, thousandths: Int64(noise.number(below: 200_000)) - 70_000)
      bench.environment.set(.pressure, thousandths: Int64(noise.number(below: 1_300_000)))
      bench.environment.set(.voltage, thousandths: Int64(noise.number(below: 5_000)))
      if noise.one(of: 8) {
        bench.target.inject(faults[noise.number(below: 6)], after: noise.number(below: 4), count: 1)
      }
      do throws(SensorError) {
        if noise.one(of: 8) { try bench.readTooEarly() } else { _ = try bench.read() }
        successes += 1
      } catch {
        failures += 1
      }
    }
    #expect(successes > 0, "noise that lets nothing pass tests nothing")
    #expect(failures > 0)
  }
}
