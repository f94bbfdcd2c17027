import ArgumentParser
import Foundation

/// Why the system did not do what it was asked.
struct SystemFailure: Error {
  let number: Int32

  /// Of the call that has failed.
  init() { number = errno }

  var words: String { String(cString: strerror(number)) }
}

/// All of a file that an option names.
func contents(of path: String) throws(ValidationError) -> [UInt8] {
  do throws(SystemFailure) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw SystemFailure() }
    defer { close(file) }
    return try contents(of: file)
  } catch {
    throw ValidationError("cannot read \(path): \(error.words)")
  }
}

private func contents(of file: Int32) throws(SystemFailure) -> [UInt8] {
  var all: [UInt8] = []
  while let chunk = try chunk(of: file) { all += chunk }
  return all
}

/// What comes next; nil: the end.
private func chunk(of file: Int32) throws(SystemFailure) -> ArraySlice<UInt8>? {
  var chunk = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = read(file, &chunk, chunk.count)
    if count >= 0 { return count == 0 ? nil : chunk.prefix(count) }
    guard mayRepeat(file, POLLIN) else { throw SystemFailure() }
  }
}

enum StandardInput {
  static func all() throws -> [UInt8] {
    do { return try contents(of: 0) } catch { throw unreadable(error) }
  }

  static func chunk() throws -> ArraySlice<UInt8>? {
    do { return try swiftlet.chunk(of: 0) } catch { throw unreadable(error) }
  }

  private static func unreadable(_ error: SystemFailure) -> any Error {
    failure("cannot read standard input: \(error.words)")
  }

  /// Where one of the three standard files is closed, the next one that is opened takes its place: input would be read
  /// from a socket, and messages written to it. What stands there instead cannot be read, or written, and says so.
  static func keepPlaces() {
    for (file, mode) in [(0, O_WRONLY), (1, O_RDONLY), (2, O_RDONLY)] as [(Int32, Int32)]
    where fcntl(file, F_GETFD) < 0 {
      _ = open("/dev/null", mode)
    }
  }
}

/// The lines of standard input without their ends, as bytes, whatever they are. The client has a thread of its
/// own, so that waiting here holds nothing up.
struct LineReader {
  private var buffer: [UInt8] = []
  private var isAtEnd = false

  mutating func next() throws -> [UInt8]? {
    while !isAtEnd {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(buffer[..<end])
        buffer.removeFirst(end + 1)
        return line
      }
      if let chunk = try StandardInput.chunk() { buffer += chunk } else { isAtEnd = true }
    }
    guard !buffer.isEmpty else { return nil }
    // Without an end of line at the end.
    defer { buffer.removeAll() }
    return buffer
  }
}
