import HAL

/// A work queue on the caller's own thread: work waits until `run`, so that a test decides when a bus is
/// done, and virtual time stays exact.
public final class SimulatedWorkQueue: WorkQueue {
  private var urgent: [any Work] = []
  private var waiting: [any Work] = []
  /// What `run` does right now, from `next` on.
  private var batch: [any Work] = []
  private var next = 0

  public init() {}

  @discardableResult
  public func submit(_ work: any Work, urgent isUrgent: Bool) -> Bool {
    if holds(work) { return false }
    if isUrgent { urgent.append(work) } else { waiting.append(work) }
    return true
  }

  /// Does all that waits, urgent work first; true if there was any.
  public func run() -> Bool {
    if urgent.isEmpty && waiting.isEmpty { return false }
    batch = urgent + waiting
    urgent.removeAll()
    waiting.removeAll()
    next = 0
    while next < batch.count {
      let work = batch[next]
      work.perform()
      next += 1
      work.completed()
    }
    batch.removeAll()
    next = 0
    return true
  }

  private func holds(_ work: any Work) -> Bool {
    urgent.contains { $0 === work } || waiting.contains { $0 === work }
      || batch[next...].contains { $0 === work }
  }
}
