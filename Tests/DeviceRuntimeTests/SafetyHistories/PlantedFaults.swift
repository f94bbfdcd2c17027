import DeviceRuntime
import HAL
import Simulation

// Rules with a fault each, planted from the outside: what the oracle must find.

/// ON while it is on begins max_on anew.
final class ExtendsMaxOn: RulesSubject {
  override func wish(_ active: Bool, by source: CommandSource) -> Answer {
    let answer = super.wish(active, by: source)
    if answer == .obeyed, line.level == .driven(true) {
      rules.learned(.driven(false), now: clock.now)
      learn()
    }
    return answer
  }
}

/// max_on ends a millisecond late.
final class LateMaxOn: RulesSubject {
  required init(_ policy: SafetyPolicy, _ line: HistoryLine, _ clock: VirtualClock) {
    var late = policy
    late.maxOn = policy.maxOn.map { $0 + .milliseconds(1) }
    super.init(late, line, clock)
  }
}

/// An OFF that is on its way through the bus ends max_on.
final class TrustsTheBus: RulesSubject {
  override func wish(_ active: Bool, by source: CommandSource) -> Answer {
    let answer = super.wish(active, by: source)
    if line.level == .pending(false) { rules.learned(.driven(false), now: clock.now) }
    return answer
  }
}

/// The stop level is driven, and that is all.
final class ForgetsStop: RulesSubject {
  override func stop() {
    if let stop = policy.stop { _ = set(stop) }
  }
}

/// broker_lost acts once, and then whoever likes may switch.
final class ActsOnEdge: RulesSubject {
  private var isAway = false

  override func lost(_ party: SafetyParty) {
    if party != .broker || !isAway { super.lost(party) }
    if party == .broker { isAway = true }
  }

  override func found(_ party: SafetyParty) {
    if party == .broker { isAway = false }
    super.found(party)
  }

  override func perform(_ act: SafetyRules.Act) {
    super.perform(act)
    if act.cause == .brokerLost { rules.found(.broker) }
  }
}

/// A broker that is back is not heard of.
final class HoldsForEver: RulesSubject {
  override func found(_ party: SafetyParty) {}
}

/// The output comes back with the broker.
final class ComesBack: RulesSubject {
  private var before: Bool?

  override func perform(_ act: SafetyRules.Act) {
    super.perform(act)
    if act.cause == .brokerLost { before = !act.active }
  }

  override func found(_ party: SafetyParty) {
    super.found(party)
    if party == .broker, let before { _ = set(before) }
  }
}

/// What the line refused is not tried again.
final class GivesUp: RulesSubject {
  private var hasFailed = false

  override func perform(_ act: SafetyRules.Act) {
    if set(act.active) == false { hasFailed = true }
  }

  override var deadline: Instant? { hasFailed ? nil : super.deadline }
}

/// What the line refused is tried again at once, and again.
final class KeepsTheLoop: RulesSubject {
  override var deadline: Instant? { line.fails && super.deadline != nil ? clock.now : super.deadline }
}

/// A wish goes to the line whatever the rules say.
final class ObeysAll: RulesSubject {
  override func wish(_ active: Bool, by source: CommandSource) -> Answer {
    let answer = super.wish(active, by: source)
    if case .refused = answer { _ = set(active) }
    return answer
  }
}
