import DeviceRuntime
import HAL

/// A button, door contact or any other line that is read: reports `ON` while active, else `OFF`.
public final class Button: Module, InputLineObserver {
  public let name: String
  private let line: any InputLine
  private var device: Device?
  private var isActive = false
  private var isKnown = false

  public init(name: String, line: any InputLine) {
    self.name = name
    self.line = line
  }

  public func start(on device: Device) {
    self.device = device
    line.observer = self
    do {
      isActive = try line.isActive()
      isKnown = true
      device.stateChanged(self)
    } catch {
      inputFailed(error)
    }
  }

  public func writeState(to text: inout FixedText) -> Bool {
    if isKnown { text.append(isActive ? "ON" : "OFF") }
    return isKnown
  }

  public func inputChanged(_ edge: Edge) {
    isActive = edge.active
    isKnown = true
    device?.setError("", of: self)
    device?.stateChanged(self)
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
