import ArgumentParser

/// What `pub` and `rr` publish.
struct PayloadOptions: ParsableArguments {
  @Option(name: .shortAndLong, parsing: .unconditional, help: "Publish this text.") var message: String?
  @Option(name: .shortAndLong, help: "Publish a file.") var file: String?
  @Flag(
    name: [.customShort("s"), .long],
    help: "Publish all of standard input as one message, byte for byte: an end of line at its end, too.")
  var stdinFile = false
  @Flag(name: [.customShort("n"), .long], help: "Publish a message without bytes.") var nullMessage = false

  var count: Int { [message != nil, file != nil, stdinFile, nullMessage].count { $0 } }

  /// Nil: none is named.
  func bytes() throws -> [UInt8]? {
    if let message { return Array(message.utf8) }
    if let file {
      do { return try contents(of: file) } catch {
        throw ValidationError("cannot read \(file): \(error.words)")
      }
    }
    if stdinFile { return try StandardInput.all() }
    return nullMessage ? [] : nil
  }
}
