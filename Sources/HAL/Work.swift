/// Something slow that must not hold up the event loop, such as the transfers of one sensor.
///
/// `perform` runs on the queue's own thread and touches nothing but its own state; afterwards
/// `completed` runs on the event loop. The loop leaves the work alone in between.
public protocol Work: AnyObject {
  func perform()
  func completed()
}

/// Does work one piece after the other, in order: one queue for each bus.
public protocol WorkQueue: AnyObject {
  /// Queues the work. Each piece of work is in the queue at most once, so the queue is bounded by the
  /// number of its users.
  func submit(_ work: any Work)
}
