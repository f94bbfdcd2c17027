import DeviceRuntime
import HAL
import Testing

/// A million things happen to outputs, and the oracle's sentences stay true.
@Suite struct SafetyPropertyTests {
  static let stepsOfHistory = 500

  @Test(
    "a million random steps: the rules keep every sentence of the oracle", arguments: 0..<4 as Range<UInt64>)
  func rules(part: UInt64) {
    let numbers = part * 600..<(part + 1) * 600
    let finding = Finding.first(of: RulesSubject.self, in: numbers, steps: Self.stepsOfHistory)
    #expect(finding == nil, "\(finding.map { "\($0)" } ?? "")")
  }

  @Test("the histories reach every reason to refuse and every act, many times")
  func reach() {
    var seen = Seen()
    for number in 0..<200 as Range<UInt64> {
      let one = Life<RulesSubject>.seen(in: History(number: number, steps: Self.stepsOfHistory))
      for index in seen.refusals.indices { seen.refusals[index] += one.refusals[index] }
      for index in seen.acts.indices { seen.acts[index] += one.acts[index] }
      seen.failedActs += one.failedActs
    }
    #expect(seen.refusals.allSatisfy { $0 >= 500 } && seen.acts.allSatisfy { $0 >= 500 }, "\(seen)")
    #expect(seen.failedActs >= 500, "\(seen)")
  }

  @Test("so does the gate on its line, with the device's timers", arguments: 0..<2 as Range<UInt64>)
  func gate(part: UInt64) {
    let numbers = part * 200..<(part + 1) * 200
    let finding = Finding.first(of: GateSubject.self, in: numbers, steps: Self.stepsOfHistory)
    #expect(finding == nil, "\(finding.map { "\($0)" } ?? "")")
  }
}
