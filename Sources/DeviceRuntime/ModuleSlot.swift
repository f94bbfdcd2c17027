/// A module with what its device still has to publish for it. States and errors are not queued but marked:
/// however often they change while the broker is slow or away, the newest is what goes out.
final class ModuleSlot {
  let module: any Module
  let stateTopic: FixedText
  let errorTopic: FixedText
  let resultTopic: FixedText
  var needsState = false
  var needsError = false
  /// What is wrong; empty when well.
  var error = FixedText()

  init(module: any Module, topics: Topics) {
    self.module = module
    stateTopic = topics.topic(of: module.name, "state")
    errorTopic = topics.topic(of: module.name, "error")
    resultTopic = topics.topic(of: module.name, "result")
  }
}
