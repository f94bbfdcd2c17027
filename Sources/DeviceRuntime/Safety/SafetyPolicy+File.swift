import DeviceFile

// `safety` of an output in a device file.
extension SafetyPolicy {
  init(_ fields: Fields) {
    self.init()
    if let field = fields.optional("safety") { read(field) }
  }

  private mutating func read(_ field: Field) {
    let owner = "'safety' of " + field.owner
    guard
      let fields = Fields(
        field.node, owner: owner, wanted: "a mapping like { start: off, max_on: 30min }", field.problems)
    else { return }
    if let start = fields.optional("start")?.state() { self.start = start }
    if let stop = fields.optional("stop") { self.stop = SafetyPolicy.stop(stop) }
    if let lost = fields.optional("broker_lost") { brokerLost = SafetyPolicy.brokerLost(lost, field.owner) }
    if let limit = fields.optional("max_on"), let maxOn = limit.milliseconds(proposing: 1...Field.longest) {
      self.maxOn = .milliseconds(maxOn)
      if maxOn == 0 {
        limit.report("\(limit.title) must be longer than 0s", "leave it out for no limit")
      }
    }
    fields.finish()
  }

  /// Nil: `hold`.
  private static func stop(_ field: Field) -> Bool? {
    guard case .scalar(let text) = field.node.content else {
      field.reject(wanted: "on, off or hold")
      return false
    }
    if text.equals("hold") { return nil }
    if let state = Field.state(text) { return state }
    _ = field.choice(["off", "on", "hold"])
    return false
  }

  private static func brokerLost(_ field: Field, _ owner: String) -> Lost? {
    let wanted: Message = "a mapping like { after: 60s, then: off }"
    let owner = "'broker_lost' of " + owner
    guard let fields = Fields(field.node, owner: owner, wanted: wanted, field.problems) else { return nil }
    let after = fields.required("after", example: "60s")?.duration() ?? .zero
    let then = fields.required("then", example: "off")?.state() ?? false
    fields.finish()
    return Lost(after: after, then: then)
  }

  /// What `check` says of it.
  var note: Message {
    var text: Message = ", \(SafetyPolicy.word(start)) at start"
    if let stop {
      text += ", \(SafetyPolicy.word(stop)) at stop"
    } else {
      text += ", unchanged at stop"
    }
    if let brokerLost {
      text +=
        ", \(SafetyPolicy.word(brokerLost.then)) \(durationText(brokerLost.after)) after losing the broker"
    }
    if let maxOn { text += ", on for \(durationText(maxOn)) at most" }
    return text
  }

  private static func word(_ on: Bool) -> String { on ? "on" : "off" }
}
