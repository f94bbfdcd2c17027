import CLinux

/// A refused system call: its error number and what was tried.
public struct SystemError: Error, Equatable, Sendable {
  public var number: Int32

  public init(number: Int32) {
    self.number = number
  }

  /// The system's text, such as "Permission denied".
  public var message: String { String(cString: linux_message(number)) }

  /// Turns the C shims' convention (a negative error number) into a thrown error.
  public static func check(_ result: Int32) throws(SystemError) -> Int32 {
    if result < 0 { throw SystemError(number: -result) }
    return result
  }
}
