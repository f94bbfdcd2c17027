import Boards
import DeviceRuntime
import HAL

/// Any line that is read: reports `ON` while it is active, else `OFF`, or words of one's own. A device file calls it `button`, `contact` or
/// `binary`, after what is wired there; all three do the same.
///
///     - contact: door
///       line: GPIO27
///       active: low
///       pull: up
///       debounce: 30ms
///       on_payload: open
///       off_payload: closed
public final class BinaryInput: Module, InputLineObserver {
  public static func kind(_ name: String) -> ModuleKind {
    ModuleKind(name) { BinaryInput(name: $0.name, line: $0.input(), words: $0.stateWords()) }
  }

  public let name: String
  public let entities = [Entity(.binary, access: .state, words: "ON|OFF")]
  private let line: any InputLine
  let words: StateWords
  private var device: Device?
  private var isActive = false
  private var isKnown = false

  public init(name: String, line: any InputLine, words: StateWords = StateWords()) {
    self.name = name
    self.line = line
    self.words = words
  }

  public var stateWords: StateWords? { words }

  public func start(on device: Device) {
    self.device = device
    line.observer = self
    do {
      isActive = try line.isActive()
      isKnown = true
      device.changed(self)
    } catch {
      inputFailed(error)
    }
  }

  public func write(_ entity: Int, to text: inout FixedText) -> Bool {
    if isKnown { words.write(isActive, to: &text) }
    return isKnown
  }

  public func inputChanged(_ edge: Edge) {
    isActive = edge.active
    isKnown = true
    device?.setError("", of: self)
    device?.changed(self)
    device?.debug(FixedText(name), edge.active ? "edge, active" : "edge, inactive", at: edge.at)
    if edge.lost > 0 {
      var reason: FixedText = "edges lost: "
      reason.append(decimal: Int64(edge.lost))
      device?.report("lost", reason: reason, of: self)
    }
  }

  public func inputFailed(_ error: LineError) {
    isKnown = false
    device?.setError(error.text, of: self)
  }
}
