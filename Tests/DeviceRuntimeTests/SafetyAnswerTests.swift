import DeviceBench
import DeviceRuntime
import HAL
import Simulation
import TestNumbers
import Testing

/// Whatever a bus does, each command gets one answer, and states are true.
@Suite struct SafetyAnswerTests {
  /// A relay behind a bus, its device connected, and what has been said so far.
  struct Fan {
    let line: HistoryLine
    let bench: DeviceBench
    private var sent = 0
    private var answers = 0
    /// The newest command was ON, it was rejected, and the output was off.
    private var mustStayOff = false
    private var wasOn = false
    private var onSince: Instant?
    private static let maxOn = Duration.seconds(5)

    init() throws {
      line = HistoryLine(isQueued: true, start: false)
      let gate = SafetyGate(line: line, policy: SafetyPolicy(maxOn: Self.maxOn))
      bench = try DeviceBench.make([SafetyGateTests.Outputs([gate])])
      bench.start()
      line.confirm()
      bench.settle()
    }

    mutating func step(_ number: UInt64) {
      switch number % 10 {
      case 0...3:
        sent += 1
        mustStayOff = false
        bench.send(number % 3 == 0 ? "OFF" : "ON", to: "fan")
      case 4: bench.run(for: .milliseconds(Int64(number / 10 % 2_500)))
      case 5: bench.run(for: .seconds(Int64(number / 10 % 8)))
      case 6...8:
        line.confirm()
        bench.settle()
        if mustStayOff { #expect(line.level == .driven(false), "a rejected ON is obeyed later") }
      default:
        line.lose(forgets: false)
        bench.settle()
      }
      look()
    }

    private mutating func look() {
      for message in bench.news() {
        if message.topic == "fan/result", message.payload.contains("command") {
          answers += 1
          mustStayOff =
            message.payload.contains(#""ON","result":"rejected","reason":"the bus hangs""#) && !wasOn
        } else if message.topic == "fan/state", case .driven(let active) = line.level {
          #expect(message.payload == (active ? "ON" : "OFF"))
        }
      }
      if case .driven(let active) = line.level {
        #expect(bench.retained("fan/state") == (active ? "ON" : "OFF"))
        #expect(answers == sent)
        wasOn = active
      }
      #expect(answers == sent || answers == sent - 1)
      if line.level == .driven(true) { onSince = onSince ?? bench.clock.now } else { onSince = nil }
      if let onSince { #expect(bench.clock.now - onSince < Self.maxOn) }
    }

    /// No command waits for ever.
    mutating func end() {
      bench.run(for: .seconds(2))
      look()
      #expect(answers == sent)
    }
  }

  @Test(
    "each command gets one answer within 2 s, and what is published is confirmed",
    arguments: 0..<50 as Range<UInt64>)
  func answers(number: UInt64) throws {
    var random = SplitMix(state: number)
    var fan = try Fan()
    for _ in 0..<100 { fan.step(random.next() >> 8) }
    fan.end()
  }
}
