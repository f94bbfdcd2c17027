import HAL

/// A work queue on the caller's own thread: work waits until `run`, so that a test decides when a bus is
/// done, and virtual time stays exact.
public final class SimulatedWorkQueue: WorkQueue {
  private var waiting: [any Work] = []

  public init() {}

  public func submit(_ work: any Work) {
    waiting.append(work)
  }

  /// Does all that waits; true if there was any.
  public func run() -> Bool {
    if waiting.isEmpty { return false }
    let batch = waiting
    waiting.removeAll()
    for work in batch {
      work.perform()
      work.completed()
    }
    return true
  }
}
