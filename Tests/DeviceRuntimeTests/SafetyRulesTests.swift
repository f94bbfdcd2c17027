import DeviceRuntime
import HAL
import Testing

/// What a policy demands, without a line and without a clock.
@Suite struct SafetyRulesTests {
  /// Rules with an output that always obeys.
  struct Output {
    var rules: SafetyRules
    var isOn: Bool

    init(_ policy: SafetyPolicy) {
      rules = SafetyRules(policy)
      isOn = policy.start
      rules.learned(.driven(isOn), now: .zero)
    }

    mutating func wish(_ active: Bool, by source: CommandSource = .broker, at second: Int64)
      -> SafetyRules.Verdict
    {
      let verdict = rules.verdict(for: active, by: source, now: .second(second))
      if verdict == .obey { take(active, second) }
      return verdict
    }

    /// Does what is due, and answers when something else is.
    mutating func turn(at second: Int64) -> Instant? {
      while let act = rules.takeAct(now: .second(second)) { take(act.active, second) }
      return rules.deadline(now: .second(second))
    }

    private mutating func take(_ active: Bool, _ second: Int64) {
      isOn = active
      rules.switched(to: active, level: .driven(active), now: .second(second))
    }
  }

  static let off = SafetyPolicy.Lost(after: .seconds(60), then: false)
  static let on = SafetyPolicy.Lost(after: .seconds(60), then: true)

  @Test(
    "while broker_lost holds an output off nobody switches it on, whoever it is; before and after that all may"
  )
  func holds() {
    for source: CommandSource in [.broker, .person, .rule, .module] {
      var output = Output(SafetyPolicy(brokerLost: Self.off))
      output.rules.lost(.broker, now: .zero)
      #expect(output.turn(at: 0) == .second(60))
      #expect(output.wish(true, by: source, at: 59) == .obey)
      #expect(output.turn(at: 60) == nil && !output.isOn)
      #expect(output.wish(true, by: source, at: 100) == .refuse(.brokerLost(holds: false)))
      #expect(output.wish(false, by: source, at: 100) == .obey)
      output.rules.found(.broker)
      #expect(output.turn(at: 200) == nil && !output.isOn)
      #expect(output.wish(true, by: source, at: 200) == .obey && output.isOn)
    }
  }

  @Test(
    "a person at the device may switch a held output if the policy says so, and whoever agrees may follow")
  func person() {
    var policy = SafetyPolicy(brokerLost: Self.off)
    policy.brokerLost?.exceptPerson = true
    var output = Output(policy)
    output.rules.lost(.broker, now: .zero)
    #expect(output.wish(true, by: .rule, at: 60) == .refuse(.brokerLost(holds: false)))
    #expect(output.wish(true, by: .person, at: 60) == .obey)
    #expect(output.turn(at: 61) == nil && output.isOn)
    #expect(output.wish(true, by: .rule, at: 62) == .obey)
    #expect(output.wish(false, by: .rule, at: 63) == .obey)
    #expect(output.wish(true, by: .rule, at: 64) == .refuse(.brokerLost(holds: false)))
  }

  @Test("max_on overrules a broker_lost that switches on: the output goes off and stays off until a wish")
  func maxOnFirst() {
    var output = Output(SafetyPolicy(brokerLost: Self.on, maxOn: .seconds(30)))
    output.rules.lost(.broker, now: .zero)
    #expect(output.turn(at: 60) == .second(90) && output.isOn)
    #expect(output.wish(false, at: 61) == .refuse(.brokerLost(holds: true)))
    #expect(output.turn(at: 90) == nil && !output.isOn)
    #expect(output.turn(at: 100_000) == nil && !output.isOn)
    #expect(output.wish(true, by: .rule, at: 100_000) == .obey)
    #expect(output.wish(false, by: .rule, at: 100_001) == .refuse(.brokerLost(holds: true)))
    #expect(output.turn(at: 100_001) == .second(100_030))
  }

  @Test("of two who are away the broker decides; once it is back, the controller's hold is there again")
  func twoParties() {
    var output = Output(SafetyPolicy(brokerLost: Self.on, controllerLost: Self.off))
    output.rules.lost(.broker, now: .zero)
    output.rules.lost(.controller, now: .zero)
    #expect(output.turn(at: 60) == nil && output.isOn)
    #expect(output.wish(false, at: 61) == .refuse(.brokerLost(holds: true)))
    output.rules.found(.broker)
    #expect(output.turn(at: 62) == nil && !output.isOn)
    #expect(output.wish(true, at: 63) == .refuse(.controllerLost(holds: false)))
  }

  @Test(
    "an act that the line refused is handed out again each second, and ON is refused until it has been obeyed"
  )
  func retries() {
    var rules = SafetyRules(SafetyPolicy(maxOn: .seconds(30)))
    rules.learned(.driven(true), now: .zero)
    for second in 30...33 as ClosedRange<Int64> {
      #expect(rules.takeAct(now: .second(second)) == SafetyRules.Act(cause: .maxOn, active: false))
      #expect(rules.takeAct(now: .second(second)) == nil)
      #expect(rules.deadline(now: .second(second)) == .second(second + 1))
      #expect(rules.verdict(for: true, by: .broker, now: .second(second)) == .refuse(.maxOn))
    }
    rules.switched(to: false, level: .driven(false), now: .second(34))
    #expect(rules.deadline(now: .second(34)) == nil)
    #expect(rules.verdict(for: true, by: .broker, now: .second(34)) == .obey)
  }

  @Test("behind a bus max_on runs from the wish, and only a confirmed OFF ends it")
  func pending() {
    var rules = SafetyRules(SafetyPolicy(maxOn: .seconds(30)))
    rules.learned(.driven(false), now: .zero)
    rules.switched(to: true, level: .pending(true), now: .second(10))
    rules.learned(.driven(true), now: .second(12))
    rules.switched(to: false, level: .pending(false), now: .second(20))
    rules.switched(to: true, level: .pending(true), now: .second(21))
    #expect(rules.deadline(now: .second(21)) == .second(40))
    #expect(rules.takeAct(now: .second(40)) == SafetyRules.Act(cause: .maxOn, active: false))
    rules.switched(to: false, level: .pending(false), now: .second(40))
    #expect(rules.verdict(for: true, by: .broker, now: .second(41)) == .refuse(.maxOn))
    rules.learned(.driven(false), now: .second(42))
    #expect(rules.verdict(for: true, by: .broker, now: .second(42)) == .obey)
  }

  @Test("an output of which nothing is known counts as on")
  func unknown() {
    var rules = SafetyRules(SafetyPolicy(maxOn: .seconds(30)))
    rules.learned(.unknown, now: .zero)
    #expect(rules.deadline(now: .zero) == .second(30))
    #expect(rules.takeAct(now: .second(30)) == SafetyRules.Act(cause: .maxOn, active: false))
  }

  @Test("after a stop nothing is due, and every wish is refused")
  func stopped() {
    var output = Output(SafetyPolicy(start: true, brokerLost: Self.off, maxOn: .seconds(30)))
    output.rules.lost(.broker, now: .zero)
    output.rules.stopped()
    #expect(output.turn(at: 100) == nil && output.isOn)
    #expect(output.wish(false, at: 100) == .refuse(.stopping))
    #expect(output.wish(true, by: .person, at: 100) == .refuse(.stopping))
  }
}

extension Instant {
  fileprivate static func second(_ second: Int64) -> Instant { Instant(nanoseconds: second * 1_000_000_000) }
}
