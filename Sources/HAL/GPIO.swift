/// A GPIO line that drives something. Values are logical (libgpiod's *active*/*inactive*): with an
/// active-low line, `active` means a low level on the wire.
///
/// A line of the kernel has changed when `set` returns. One behind a bus (an expander's) is queued: its level is
/// `.pending` until the chip has acknowledged, and the observer hears what became of it.
public protocol OutputLine: AnyObject {
  /// Drives the line, or queues that. The newest value wins.
  func set(active: Bool) throws(LineError)

  /// What is known of the line; before the first `set` the value it was requested with.
  var level: OutputLevel { get }

  /// What was asked for last; false while nobody knows. (A requirement, because Embedded Swift 6.3 gets lost in an
  /// extension's property that is called on an `any OutputLine`.)
  var isActive: Bool { get }

  /// Who is told when a pending level is driven, or could not be. Lines that are never pending tell nobody.
  var observer: (any OutputLineObserver)? { get set }
}

/// What is known of an output line.
public enum OutputLevel: Equatable, Sendable {
  /// The line has it.
  case driven(Bool)
  /// It has been asked for and is on its way.
  case pending(Bool)
  /// Nobody knows: the chip behind the bus has not answered since.
  case unknown
}

extension OutputLine {
  public var isActive: Bool {
    switch level {
    case .driven(let active), .pending(let active): active
    case .unknown: false
    }
  }
}

/// Somebody who waits for pending levels. Calls come on the event loop.
public protocol OutputLineObserver: AnyObject {
  /// The level is `.driven` now.
  func outputDriven()
  /// It is not, and is tried again.
  func outputFailed(_ error: LineError)
}

/// A GPIO line that is read. Values are logical, and edges are debounced before they arrive here.
public protocol InputLine: AnyObject {
  /// The level right now.
  func isActive() throws(LineError) -> Bool

  /// Who is told of edges; they arrive on the event loop.
  var observer: (any InputLineObserver)? { get set }
}

/// One debounced change of an input line.
public struct Edge: Equatable, Sendable {
  /// The value after the edge.
  public var active: Bool
  /// When the kernel saw it.
  public var at: Instant
  /// Edges the kernel had to drop since the previous one because nobody read them in time.
  public var lost: UInt32

  public init(active: Bool, at: Instant, lost: UInt32 = 0) {
    self.active = active
    self.at = at
    self.lost = lost
  }
}

/// Somebody who wants to know of edges.
public protocol InputLineObserver: AnyObject {
  func inputChanged(_ edge: Edge)
  /// The line can no longer be read (its chip is gone).
  func inputFailed(_ error: LineError)
}

/// Why a line cannot be used.
public enum LineError: Error, Equatable, Sendable {
  /// No chip carries the label, or it has gone.
  case chipGone
  /// The chip has no line of that name.
  case noSuchLine
  /// Another consumer holds the line.
  case busy
  /// The bus that leads to the line's chip failed.
  case bus(BusError)
  /// The line's chip acknowledged, and then showed something else when it was read back.
  case notHeld
  /// The system's error number.
  case system(Int32)
}
