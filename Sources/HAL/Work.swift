/// Something slow that must not hold up the event loop, such as the transfers of one sensor.
///
/// `perform` runs on the queue's own thread and touches nothing but its own state; afterwards
/// `completed` runs on the event loop. The loop leaves the work alone in between.
public protocol Work: AnyObject {
  func perform()
  func completed()
}

/// Does work one piece after the other: one queue for each bus. Urgent work comes before all that waits, and
/// otherwise the order is that of `submit`; what is under way is never interrupted.
///
/// A piece of work is in the queue at most once, so the queue is bounded by the number of its users, and the
/// loop and the queue's thread never touch one piece at the same time.
public protocol WorkQueue: AnyObject {
  /// Queues the work. False, and nothing happens: the work waits already or is under way, or the queue has
  /// more users than it has room for. From within its own `completed` work can be submitted anew.
  ///
  /// Work that waits keeps its place: submitting it again as urgent does not move it.
  @discardableResult
  func submit(_ work: any Work, urgent: Bool) -> Bool
}

extension WorkQueue {
  /// Queues work that can wait for its turn.
  @discardableResult
  public func submit(_ work: any Work) -> Bool { submit(work, urgent: false) }
}
