/// A GPIO line that drives something. Values are logical (libgpiod's *active*/*inactive*): with an
/// active-low line, `active` means a low level on the wire.
public protocol OutputLine: AnyObject {
  /// Drives the line; it has changed when the call returns.
  func set(active: Bool) throws(LineError)

  /// What was driven last; before the first `set` the value the line was requested with.
  var isActive: Bool { get }
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
  /// The system's error number.
  case system(Int32)
}
