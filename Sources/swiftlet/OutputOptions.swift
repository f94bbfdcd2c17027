import ArgumentParser
import Foundation
import MQTTAsync

/// How `sub` and `rr` print messages.
struct OutputOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "The topic in front of each payload; '(null)' is one without bytes.")
  var verbose = false
  @Flag(name: [.customShort("N"), .customLong("no-newline")], help: "No end of line after a message.")
  var noNewline = false
  @Option(
    name: [.customShort("F"), .long], parsing: .unconditional,
    help: "How to print: text with %t, %p, %j and more, @H:@M for the time.")
  var format: String?
  @Flag(help: "One JSON object a line.") var json = false
  @Flag(help: "For people: topics and marks, in color on a terminal; with JSON, indented.") var pretty = false

  func check() throws {
    let template = try template()
    guard format == nil || !json else { throw ValidationError("one of --format and --json is enough") }
    guard !pretty || template == nil || template?.hasJSON == true else {
      throw ValidationError("--pretty has no effect on a --format without %j and %J: leave it out")
    }
  }

  private func template() throws -> Template? {
    do {
      return try format.map { (text) throws(Template.Fault) in try Template(text) }
    } catch {
      throw ValidationError("--format: \(error.message)")
    }
  }

  /// `identifier`: the subscription's, if one was asked for.
  func messageFormat(identifier: UInt32?) throws -> MessageFormat {
    let isTerminal = isatty(1) != 0
    var style = MessageFormat.Style.plain
    if let template = try template() {
      style = .template(template)
    } else if json {
      style = .json
    } else if pretty {
      style = .pretty(
        colors: isTerminal && ProcessInfo.processInfo.environment["NO_COLOR"] == nil)
    }
    return MessageFormat(
      style: style, showsTopic: verbose, endsLine: !noNewline, isSafe: isTerminal, identifier: identifier,
      isIndented: pretty)
  }
}

/// Writes to standard output. False: `errno` says why it is not, or not all, written.
func put(_ bytes: [UInt8]) -> Bool {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
    if count >= 0 { rest = rest.dropFirst(count) } else if !mayRepeat(1, POLLOUT) { return false }
  }
  return true
}
