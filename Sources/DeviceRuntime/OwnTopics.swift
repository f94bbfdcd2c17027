/// Topics that are called otherwise than by root, device and module: a device file says so. Whoever asks has the usual ones
/// where there is no answer.
public protocol OwnTopics: AnyObject {
  /// Whether the device is there.
  var availability: String? { get }

  /// Of a module's entity, or of its error: what `key` and `leaf` would be the last levels of.
  func topic(of module: String, _ key: StaticString, _ leaf: StaticString) -> String?

  /// Whose commands come there.
  func module(ofCommand topic: FixedText) -> FixedText?
}
