import CSQLite

/// Why a store could not be opened.
public struct SessionStoreError: Error {
  public enum Cause: Equatable, Sendable {
    /// No room on the disk.
    case full
    /// The file is damaged.
    case damaged
    /// The file is something else, and is left as it was.
    case foreign
    /// Another process has it open.
    case inUse
    /// There is no `libsqlite3` on this machine.
    case noLibrary
    /// The directory is missing, may not be written to, or the disk fails.
    case failed
    /// A damaged file could not be set aside: the system's error number.
    case system(Int32)

    init(_ code: Int32) {
      switch Int(code) {
      case CSQLITE_FULL: self = .full
      case CSQLITE_DAMAGED: self = .damaged
      case CSQLITE_FOREIGN: self = .foreign
      case CSQLITE_BUSY: self = .inUse
      case CSQLITE_NO_LIBRARY: self = .noLibrary
      default: self = .failed
      }
    }
  }

  public let cause: Cause
  /// The library's words.
  public let message: String
}
