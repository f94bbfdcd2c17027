import HAL

/// Somebody who obeys commands below a level of the device's topics that belongs to no module: `sim/door/set`,
/// `sim/air/fault/set`. What the answers are to is the level and the one after it: `sim/door/result`.
public protocol CommandListener: AnyObject {
  /// The level, such as `sim`.
  var level: StaticString { get }

  /// Obeys what came on `<level>/<path>/set`; the path is empty for `<level>/set`, and has one slash at most.
  /// The answer is known at once: it is not `.later`.
  func obey(_ command: Command, at path: FixedText) -> CommandAnswer
}

extension Device {
  /// Brings the listener the commands of its level, from the device's start on. A module of that name is in its
  /// own right: then nothing is brought, and the log says so.
  public func listen(_ listener: any CommandListener) {
    let level = FixedText(listener.level)
    for module in modules where level == FixedText(module.name) {
      var line = level
      line.append(": a module is called that, so that nothing else is reached there")
      return log.write(.warning, line)
    }
    listeners.append(listener)
  }

  /// Whoever listens at the first level of the command's topic.
  func listener(at module: FixedText) -> (any CommandListener)? {
    for listener in listeners where module == FixedText(listener.level) { return listener }
    return nil
  }

  /// What the answer to a command is an answer of: the module, or what a listener has; nil: no answer is possible.
  func addressee(of topic: FixedText) -> FixedText? {
    if topic == topics.get { return "get" }
    if let module = topics.own?.module(ofCommand: topic) { return module }
    guard let module = topics.module(ofCommand: topic) else { return nil }
    return listener(at: module) == nil ? module : topics.module(ofCommand: topic, levels: 2)
  }
}

extension FixedText {
  /// The text of a static string.
  init(_ text: StaticString) {
    self.init()
    append(text)
  }
}
