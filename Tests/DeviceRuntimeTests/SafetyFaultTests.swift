import DeviceRuntime
import HAL
import Testing

/// The tester is tested: each planted fault is found, and shrunk to what a person can read.
@Suite struct SafetyFaultTests {
  struct Fault: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let violation: Oracle.Violation
    let mostSteps: Int
    let find: @Sendable () -> Finding?

    init<S: Subject & SendableMetatype>(_ name: String, _: S.Type, _ violation: Oracle.Violation, steps: Int)
    {
      testDescription = name
      self.violation = violation
      mostSteps = steps
      find = { Finding.first(of: S.self, in: 0..<100, steps: SafetyPropertyTests.stepsOfHistory) }
    }
  }

  static let faults = [
    Fault("ON again extends max_on", ExtendsMaxOn.self, .late, steps: 2),
    Fault("max_on a millisecond late", LateMaxOn.self, .onTooLong, steps: 1),
    Fault("an unconfirmed OFF ends max_on", TrustsTheBus.self, .busy, steps: 4),
    Fault("a stop that does not stick", ForgetsStop.self, .wrongAnswer, steps: 2),
    Fault("broker_lost is an edge", ActsOnEdge.self, .wrongAnswer, steps: 3),
    Fault("a broker that is back is not heard of", HoldsForEver.self, .late, steps: 4),
    Fault("the output comes back with the broker", ComesBack.self, .actWithoutCause, steps: 3),
    Fault("what the line refused is not tried again", GivesUp.self, .idle, steps: 3),
    Fault("what the line refused keeps the loop busy", KeepsTheLoop.self, .busy, steps: 3),
    Fault("a refused wish is obeyed", ObeysAll.self, .refusalActed, steps: 2),
  ]

  @Test("a planted fault is found and shrunk", arguments: faults)
  func planted(_ fault: Fault) throws {
    let finding = try #require(fault.find())
    #expect(finding.history.steps.count <= fault.mostSteps, "\(finding)")
    #expect(finding.violation == fault.violation, "\(finding)")
  }
}
