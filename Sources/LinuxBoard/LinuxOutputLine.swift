import CGPIOD
import HAL

/// A line that drives something, through libgpiod: one of the lines of a request, which `LinuxOutputLines` makes.
public final class LinuxOutputLine: OutputLine {
  private let lines: RequestedOutputs
  private let index: Int
  public private(set) var level: OutputLevel
  /// A line of the kernel is never pending: nobody is told of anything.
  public var observer: (any OutputLineObserver)?

  init(_ lines: RequestedOutputs, index: Int, startsActive: Bool) {
    self.lines = lines
    self.index = index
    level = .driven(startsActive)
  }

  /// Requests one line with its first value in the same call, so it never shows another.
  public convenience init(
    _ address: LineAddress, consumer: String, activeLow: Bool, startsActive: Bool
  ) throws(LineError) {
    let location = try address.locate()
    let output = gpio_output(
      offset: location.offset, active_low: activeLow ? 1 : 0, active: startsActive ? 1 : 0)
    let lines = try RequestedOutputs(location, consumer: consumer, [output])
    self.init(lines, index: 0, startsActive: startsActive)
  }

  public func set(active: Bool) throws(LineError) {
    try lines.set(index, active: active)
    level = .driven(active)
  }
}

/// Outputs of one chip that were requested together. The kernel keeps them as long as this lives.
final class RequestedOutputs {
  private let outputs: OpaquePointer

  /// `location` is that of any of the lines.
  init(_ location: gpio_location, consumer: String, _ lines: [gpio_output]) throws(LineError) {
    var location = location
    var outputs: OpaquePointer?
    let result = withUnsafeBytes(of: &location.path) { path in
      consumer.withCString { consumer in
        lines.withUnsafeBufferPointer { lines in
          gpio_request_outputs(
            path.assumingMemoryBound(to: CChar.self).baseAddress, consumer, lines.baseAddress, lines.count,
            &outputs)
        }
      }
    }
    guard result >= 0, let outputs else { throw LineError(number: -result) }
    self.outputs = outputs
  }

  deinit {
    gpio_outputs_release(outputs)
  }

  func set(_ index: Int, active: Bool) throws(LineError) {
    let result = gpio_outputs_set(outputs, index, active ? 1 : 0)
    if result < 0 { throw LineError(number: -result) }
  }
}
