import HAL
import Units

/// MCP3008: analog-to-digital converter, eight inputs against ground, 10 bits of the reference voltage (3.3 V if
/// nothing else is said), ±1 LSB.
///
/// - A measurement converts all inputs, one transfer of 5 bytes each, all in `collect`; `start` makes none. A clock
///   below 10 kHz is too slow for the chip to hold what it has sampled.
/// - Every result is sent twice, the second time in reverse without its lowest bit: `.checksum` when the two differ; `.implausible` when
///   the null bit before the result is not zero, or what follows it is not zeros: nobody drives the data line, and
///   it reads as ones. A line that reads as zeros cannot be told from 0 V on all inputs. `.bus` when the controller
///   refuses.
///
/// Source: Microchip *MCP3004/3008*, DS21295: 4.1 "Digital Output Code" (equation 4-2), 5.0 "Serial Communication"
/// (figure 5-2, the result in reverse), 6.1 "Using the MCP3004/3008 with Microcontroller (MCU) SPI Ports", 6.2 "Maintaining Minimum Clock Speed", and
/// "Electrical Specifications" (clock frequency).
public struct MCP3008: SPISensor {
  public static var name: StaticString { "MCP3008" }
  public static var shortestPeriod: Duration { .milliseconds(100) }
  public static var mode: SPIMode { .mode0 }
  /// At a supply of 2.7 V; twice as much and more at 5 V.
  public static var maximumHertz: UInt32 { 1_350_000 }

  private let device: any SPIDevice
  private let reference: Voltage
  private var isStarted = false

  public init(_ device: any SPIDevice) {
    self.init(device, reference: Voltage(microvolts: 3_300_000))
  }

  /// `reference`: the voltage at the pin VREF, which gives the full scale.
  public init(_ device: any SPIDevice, reference: Voltage) {
    self.device = device
    self.reference = reference
  }

  public mutating func start() throws(SensorError) -> Duration {
    isStarted = true
    return .zero
  }

  public mutating func collect() throws(SensorError) -> InputsMeasurement {
    guard isStarted else { throw .notReady }
    isStarted = false
    var measurement = InputsMeasurement()
    for input in measurement.inputs.indices {
      measurement.inputs[input] = volts(try convert(UInt8(truncatingIfNeeded: input)))
    }
    return measurement
  }

  private func convert(_ input: UInt8) throws(SensorError) -> UInt16 {
    // The start bit ends the first byte; against ground, and which input, begin the second.
    let request: InlineArray<5, UInt8> = [0x01, 0x80 | input << 4, 0, 0, 0]
    var answer = InlineArray<5, UInt8>(repeating: 0)
    var bytes = answer.mutableSpan
    do { try device.transfer(request.span, into: &bytes) } catch { throw .bus(error) }
    // Of the second byte the last three bits: null, B9, B8. Then B7…B0, B1…B8, B9 and zeros.
    guard answer[1] & 0b100 == 0, answer[4] & 0x7F == 0 else { throw .implausible }
    let result = answer.bigEndian16(at: 1) & 0x3FF
    var reversed: UInt16 = 0
    for bit in 1...9 { reversed = reversed << 1 | result >> UInt16(bit) & 1 }
    guard answer.bigEndian16(at: 3) >> 7 == reversed else { throw .checksum }
    return result
  }

  private func volts(_ result: UInt16) -> Voltage {
    let microvolts = (Int64(result) * Int64(reference.microvolts) + 512) / 1_024
    return Voltage(microvolts: Int32(truncatingIfNeeded: microvolts))
  }
}

/// What an analog converter with eight inputs yields.
public struct InputsMeasurement: Measurement {
  public var inputs = InlineArray<8, Voltage>(repeating: Voltage(microvolts: 0))

  public init() {}

  /// Three decimals: an input's step is 3.2 mV of 3.3 V.
  public static func forEachChannel(_ body: (Channel) -> Void) {
    let keys: InlineArray<8, StaticString> = ["ch0", "ch1", "ch2", "ch3", "ch4", "ch5", "ch6", "ch7"]
    for index in keys.indices { body(Channel(.voltage, key: keys[index], decimals: 3, scale: 6)) }
  }

  public func forEachReading(_ body: (Reading) -> Void) {
    for index in inputs.indices {
      body(Reading(UInt8(truncatingIfNeeded: index), Int64(inputs[index].microvolts)))
    }
  }

  public static func == (left: InputsMeasurement, right: InputsMeasurement) -> Bool {
    for index in left.inputs.indices where left.inputs[index] != right.inputs[index] { return false }
    return true
  }
}
