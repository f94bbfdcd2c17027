import DeviceRuntime
import HAL
import Units

/// Counts how often a door was opened.
///
///     - visits: shop
///       line: GPIO27
///       active: low
public final class VisitCounter: Module, InputLineObserver {
  public static var kind: ModuleKind {
    ModuleKind("visits") { VisitCounter(name: $0.name, line: $0.input()) }
  }

  public let name: String
  public let entities = [Entity(.measurement, "count", access: .state, quantity: .count)]
  private let line: any InputLine
  private var device: Device?
  private var count: Int64 = 0

  public init(name: String, line: any InputLine) {
    self.name = name
    self.line = line
  }

  public func start(on device: Device) {
    self.device = device
    line.observer = self
    device.changed(self)
  }

  public func write(_ entity: Int, to text: inout FixedText) -> Bool {
    text.append(decimal: count)
    return true
  }

  public func inputChanged(_ edge: Edge) {
    if edge.active { count += 1 }
    device?.changed(self)
  }

  public func inputFailed(_ error: LineError) { device?.setError(error.text, of: self) }
}
