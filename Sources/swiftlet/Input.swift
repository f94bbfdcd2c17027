import ArgumentParser
import Foundation

/// All of a file, of whatever kind it is: what the shell makes of `<(date)` and `/dev/stdin` are pipes.
func contents(of path: String) throws -> [UInt8] {
  let file = open(path, O_RDONLY | O_CLOEXEC)
  defer { if file >= 0 { close(file) } }
  guard file >= 0, let bytes = readToEnd(file) else {
    throw ValidationError("cannot read \(path): \(systemError())")
  }
  return bytes
}

/// Nil: `errno` says why.
func readToEnd(_ file: Int32) -> [UInt8]? {
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = read(file, &chunk, chunk.count)
    if count == 0 { return bytes }
    if count > 0 { bytes += chunk.prefix(count) } else if !mayRepeat(file, POLLIN) { return nil }
  }
}

/// What `errno` means.
func systemError() -> String { String(cString: strerror(errno)) }
