import DeviceRuntime
import HAL
import Testing

/// A million things happen to outputs, and the oracle's sentences stay true.
@Suite struct SafetyPropertyTests {
  static let stepsOfHistory = 500

  @Test(
    "a million random steps: the rules keep every sentence of the oracle", arguments: 0..<4 as Range<UInt64>)
  func rules(part: UInt64) {
    let numbers = part * 500..<(part + 1) * 500
    let finding = Finding.first(of: RulesSubject.self, in: numbers, steps: Self.stepsOfHistory)
    #expect(finding == nil, "\(finding.map { "\($0)" } ?? "")")
  }

  @Test("so does the gate on its line, with the device's timers", arguments: 0..<2 as Range<UInt64>)
  func gate(part: UInt64) {
    let numbers = part * 200..<(part + 1) * 200
    let finding = Finding.first(of: GateSubject.self, in: numbers, steps: Self.stepsOfHistory)
    #expect(finding == nil, "\(finding.map { "\($0)" } ?? "")")
  }
}
