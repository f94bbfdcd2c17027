import ArgumentParser

/// What `pub` and `rr` publish.
struct PayloadOptions: ParsableArguments {
  @Option(name: .shortAndLong, parsing: .unconditionalSingleValue, help: "Publish this text.")
  var message: [String] = []
  @Option(name: .shortAndLong, help: "Publish a file, or what comes out of a pipe that has a name.")
  var file: [String] = []
  @Flag(
    name: [.customShort("s"), .long],
    help: "Publish all of standard input as one message, byte for byte: an end of line at its end, too.")
  var stdinFile = false
  @Flag(name: [.customShort("n"), .long], help: "Publish a message without bytes.") var nullMessage = false

  /// One of them twice is two messages, of which only one could be sent.
  var count: Int { message.count + file.count + [stdinFile, nullMessage].count { $0 } }

  /// Nil: none is named.
  func bytes() throws -> [UInt8]? {
    if let message = message.first { return Array(message.utf8) }
    if let file = file.first { return try contents(of: file) }
    if stdinFile { return try input() }
    return nullMessage ? [] : nil
  }

  /// What writes there may have failed: an empty message, which clears a retained one, has to be meant.
  private func input() throws -> [UInt8] {
    let input = try StandardInput.all()
    if input.isEmpty { throw failure("standard input is empty; -n publishes an empty message") }
    return input
  }
}
