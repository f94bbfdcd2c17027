/// What an output does when nobody is in control. Every actuator has one.
///
/// When options disagree, the first of this order decides: stop, `maxOn`, `brokerLost`, `controllerLost`, a wish.
public struct SafetyPolicy: Sendable {
  /// The value the line is requested with: it holds from the first moment on.
  public var start: Bool
  /// The value at a clean stop; nil leaves the line as it is.
  public var stop: Bool?
  /// What happens when the broker has been away for a while.
  public var brokerLost: Lost?
  /// The same for whoever controls the device through the broker (`Device.controllerLost`).
  public var controllerLost: Lost?
  /// How long the output may be on without a pause. Repeated ON commands do not extend it, and nothing overrules
  /// it: an output that a loss has switched on goes off after that time and stays off until somebody wishes it on.
  public var maxOn: Duration?

  /// From `after` on until whoever was lost is back, the output is held at `then`: a wish for the other value is
  /// refused. It stays there afterwards.
  public struct Lost: Sendable {
    public var after: Duration
    public var then: Bool
    /// A person at the device may switch the output all the same.
    public var exceptPerson: Bool

    public init(after: Duration, then: Bool, exceptPerson: Bool = false) {
      self.after = after
      self.then = then
      self.exceptPerson = exceptPerson
    }
  }

  public init(
    start: Bool = false, stop: Bool? = false, brokerLost: Lost? = nil, controllerLost: Lost? = nil,
    maxOn: Duration? = nil
  ) {
    self.start = start
    self.stop = stop
    self.brokerLost = brokerLost
    self.controllerLost = controllerLost
    self.maxOn = maxOn
  }
}

/// Whose presence an output can depend on.
public enum SafetyParty: Sendable {
  case broker
  case controller
}

/// Who wishes an output on or off.
public enum CommandSource: Equatable, Sendable {
  /// A command that came through the broker.
  case broker
  /// A button or switch at the device.
  case person
  /// A rule that runs on the device.
  case rule
  /// The module itself, such as a cover that has arrived.
  case module
}

/// Why a gate acts by itself.
public enum SafetyCause: Equatable, Sendable {
  case brokerLost
  case controllerLost
  case maxOn

  /// What was done and why, in a person's words.
  public func text(_ policy: SafetyPolicy) -> FixedText {
    switch self {
    case .maxOn:
      var text: FixedText = "switched off: on for max_on"
      if let maxOn = policy.maxOn {
        text.append(" = ")
        text.append(maxOn)
      }
      return text
    case .brokerLost: return SafetyCause.text(policy.brokerLost, "the broker has been away for ")
    case .controllerLost: return SafetyCause.text(policy.controllerLost, "the controller has been away for ")
    }
  }

  private static func text(_ lost: SafetyPolicy.Lost?, _ why: StaticString) -> FixedText {
    var text: FixedText = lost?.then == true ? "switched on: " : "switched off: "
    text.append(why)
    text.append(lost?.after ?? .zero)
    return text
  }
}

/// Why a wish is not obeyed.
public enum SafetyRefusal: Equatable, Sendable {
  /// The device has been stopped: outputs are where they stay.
  case stopping
  /// The output has been on for as long as it may, and is not off yet.
  case maxOn
  /// Somebody is away, and the output is held at the value.
  case brokerLost(holds: Bool)
  case controllerLost(holds: Bool)

  /// The reason in a person's words.
  public var text: FixedText {
    switch self {
    case .stopping: "the device is stopping"
    case .maxOn: "it has been on for max_on: it has to be off first"
    case .brokerLost(true): "the broker is away: broker_lost holds it on"
    case .brokerLost(false): "the broker is away: broker_lost holds it off"
    case .controllerLost(true): "the controller is away: controller_lost holds it on"
    case .controllerLost(false): "the controller is away: controller_lost holds it off"
    }
  }
}
