import HAL

/// An output line that remembers what it was driven to.
public final class SimulatedOutputLine: OutputLine {
  public private(set) var level: OutputLevel
  public var observer: (any OutputLineObserver)?
  /// How often the value changed.
  public private(set) var changes = 0
  /// What the next calls fail with; nil: they succeed.
  public var fault: LineError?

  /// The line is requested with its first value.
  public init(startsActive: Bool) {
    level = .driven(startsActive)
  }

  public func set(active: Bool) throws(LineError) {
    if let fault { throw fault }
    if isActive != active { changes += 1 }
    level = .driven(active)
  }
}

/// An output line behind a bus: pending until the test says what became of it.
public final class SimulatedPendingOutputLine: OutputLine {
  public private(set) var level: OutputLevel
  public var observer: (any OutputLineObserver)?
  /// What the wire has.
  public private(set) var isDriven: Bool
  private var wanted: Bool

  /// The line has been requested with its first value, which is driven or, as an expander's, still pending.
  public init(startsActive: Bool, isDriven: Bool = true) {
    self.isDriven = isDriven && startsActive
    wanted = startsActive
    level = isDriven ? .driven(startsActive) : .pending(startsActive)
  }

  public func set(active: Bool) throws(LineError) {
    wanted = active
    level = .pending(active)
  }

  /// The chip has acknowledged what was asked for last.
  public func acknowledge() {
    isDriven = wanted
    level = .driven(wanted)
    observer?.outputDriven()
  }

  /// A transfer has failed, and is tried again.
  public func fail(_ error: LineError) {
    observer?.outputFailed(error)
  }

  /// The chip has not answered for too long.
  public func lose(_ error: LineError) {
    level = .unknown
    observer?.outputFailed(error)
  }
}

/// An input line that a test or a person drives.
public final class SimulatedInputLine: InputLine {
  public var observer: (any InputLineObserver)?
  /// What the next reads fail with; nil: they succeed.
  public var fault: LineError?
  public private(set) var level = false

  public init() {}

  public func isActive() throws(LineError) -> Bool {
    if let fault { throw fault }
    return level
  }

  /// Changes the level, already debounced; the observer hears of it before this returns.
  public func drive(active: Bool, at instant: Instant, lost: UInt32 = 0) {
    if active == level { return }
    level = active
    observer?.inputChanged(Edge(active: active, at: instant, lost: lost))
  }

  /// The chip disappears.
  public func fail(_ error: LineError) {
    fault = error
    observer?.inputFailed(error)
  }
}
