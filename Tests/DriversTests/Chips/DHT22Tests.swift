import Drivers
import HAL
import Simulation
import Testing
import Units

extension DHT22: ChipPromises {
  static let promises = Promises(
    sweep: {
      (Int64(-400)...800).map { Air((.temperature, $0 * 100), (.humidity, ($0 + 400) * 83 % 1_001 * 100)) }
    },
    within: [0.5, 0.5], convertsInCollect: true, pause: .seconds(2), warmBytes: 12, warmTime: .zero)
}

@Suite struct DHT22Tests {
  func read(_ text: String) throws(SensorError) -> ClimateMeasurement {
    var sensor = DHT22(FixedPage(text))
    _ = try sensor.start()
    return try sensor.collect()
  }

  @Test(
    "DHT22: the message of the manual's example, 02 92 01 0D A2, is 65.8 % and 26.9 °C, as the kernel writes them"
  )
  func example() throws {
    let environment = Environment((.humidity, 65_800), (.temperature, 26_900))
    var sensor = DHT22(SimulatedKernelDevice(DHT22Model(environment: environment, clock: VirtualClock())))
    _ = try sensor.start()
    let measurement = try sensor.collect()
    #expect(measurement.humidity.milliPercent == 0x0292 * 100)
    #expect(measurement.temperature.milliCelsius == 0x010D * 100)
  }

  @Test("DHT22: a number with its end of line is a value, anything else an error")
  func numbers() throws {
    #expect(try read("100\n").temperature.milliCelsius == 100)
    #expect(throws: SensorError.implausible) { try read("-100\n") }  // of humidity
    for text in ["", "100", "1"] { #expect(throws: SensorError.bus(.shortTransfer)) { try read(text) } }
    for text in ["\n", "-\n", "1x\n", "x\n", "1-\n", "1000000000\n", "99999999999999999999\n", "90000\n"] {
      #expect(throws: SensorError.implausible, "\(text)") { try read(text) }
    }
  }

  @Test("DHT22: a message whose sum does not match is an input/output error of the kernel")
  func damagedMessage() throws {
    let device = SimulatedKernelDevice(DHT22Model(environment: Environment(), clock: VirtualClock()))
    var sensor = DHT22(device)
    for bit in 0..<40 {
      device.inject(.flippedBit(bit), count: 1)
      _ = try sensor.start()
      #expect(throws: SensorError.bus(.system(5))) { try sensor.collect() }
    }
    device.inject(.neverReady, count: 1)
    _ = try sensor.start()
    #expect(throws: SensorError.bus(.timeout)) { try sensor.collect() }
  }

  @Test("DHT22: the kernel answers from one message for two seconds")
  func validity() throws {
    let clock = VirtualClock()
    let environment = Environment((.temperature, 20_000))
    let device = SimulatedKernelDevice(DHT22Model(environment: environment, clock: clock))
    var sensor = DHT22(device)
    func celsius() throws -> Int32 {
      _ = try sensor.start()
      return try sensor.collect().temperature.milliCelsius
    }
    #expect(try celsius() == 20_000)
    environment.set(.temperature, thousandths: 25_000)
    clock.advance(by: .milliseconds(1_999))
    #expect(try celsius() == 20_000)
    clock.advance(by: .milliseconds(1))
    #expect(try celsius() == 25_000)
  }
}
