import ArgumentParser
import Dispatch
import Foundation
import MQTTAsync

struct Sub: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Subscribe to messages and print them.",
    discussion: """
      swiftlet sub -h broker.local -t 'swiftlet/#' -v
      swiftlet sub -t 'swiftlet/+/+/state' --json | jq .payload

      Payloads that are no text are shown as hexadecimal digits on a terminal, and come as they are through
      pipes. Ends with 0 after --count messages or Ctrl-C, with 27 when --timeout is over, with 1 when the
      server cannot be reached or refuses or the output cannot be written, with 64 after wrong usage.
      """)

  @OptionGroup(title: "CONNECTION") var connection: ConnectionOptions
  @Option(name: .shortAndLong, help: "A topic filter, also several times.") var topic: [String] = []
  @Option(name: [.customShort("T"), .long], help: "Do not print what this filter matches.")
  var filterOut: [String] = []
  @Option(name: [.customShort("U"), .long], help: "Have the server forget this filter of a kept session.")
  var unsubscribe: [String] = []
  @Option(name: .shortAndLong, help: "0: at most once, 1: at least once, 2: exactly once.") var qos: Int = 0
  @Option(name: [.customShort("C"), .long], help: "End after so many messages.") var count: Int?
  @Option(name: [.customShort("W"), .long], help: "End after so many seconds, with 27.") var timeout: Double?
  @Flag(name: .shortAndLong, help: "The topic in front of each payload.") var verbose = false
  @Flag(name: [.customShort("N"), .customLong("no-newline")], help: "No end of line after a message.")
  var noNewline = false
  @Option(
    name: [.customShort("F"), .long], parsing: .unconditional,
    help: "How to print: text with %t, %p, %j and more.")
  var format: String?
  @Flag(help: "One JSON object a line.") var json = false
  @Flag(help: "For people: topics and marks, in color on a terminal.") var pretty = false
  @Flag(name: [.customShort("R"), .long], help: "Only fresh messages.") var noRetained = false
  @Flag(help: "Only retained messages.") var retainedOnly = false
  @Flag(help: "5.0: not what this client publishes itself.") var noLocal = false
  @Flag(help: "5.0: the retain flag as the publisher set it.") var retainAsPublished = false

  func validate() throws {
    _ = try quality(qos)
    if let count, count < 1 { throw ValidationError("--count is at least 1") }
    if let timeout, !(timeout > 0 && timeout <= 1e9) {
      throw ValidationError("--timeout is more than 0, and at most 1000000000")
    }
    if let fault = format.flatMap(MessageFormat.fault) { throw ValidationError("--format: \(fault)") }
    guard [format != nil, json, pretty].count(where: { $0 }) <= 1 else {
      throw ValidationError("one of --format, --json and --pretty is enough")
    }
    guard !noRetained || !retainedOnly else {
      throw ValidationError("--no-retained and --retained-only leave nothing")
    }
    for filter in filterOut + topic + unsubscribe {
      let bytes = Array(filter.utf8)
      do { try TopicFilter.check(bytes.span) } catch {
        throw ValidationError(
          "'\(filter)' is no topic filter: '#' stands alone at the end, '+' between slashes")
      }
    }
    try connection.check()
  }

  func run() async throws {
    // Whoever reads the other end of a pipe may leave first.
    signal(SIGPIPE, SIG_IGN)
    do {
      let work = Task { try await listen() }
      let sources = [SIGINT, SIGTERM].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number)
        source.setEventHandler { work.cancel() }
        source.resume()
        return source
      }
      defer { for source in sources { source.cancel() } }
      if try await work.value { return }
      throw ExitCode(27)
    } catch let error as MQTTAsyncError where error == .cancelled {
      return
    } catch let error as MQTTAsyncError {
      throw failure(error)
    }
  }

  /// False: the time was over.
  private func listen() async throws -> Bool {
    let filters = try topic + [connection.urlTopic()].compactMap { $0 }
    guard !filters.isEmpty else {
      throw ValidationError("no topic: give --topic FILTER, such as -t 'swiftlet/#'")
    }
    let properties = try PropertyArguments(connection.properties)
    let client = try connection.makeClient(longest: 16 << 20, properties: properties)
    connection.report(client)
    let options = MQTTSubscribeOptions(
      qos: try quality(qos), noLocal: noLocal, retainAsPublished: retainAsPublished || retainedOnly)
    let messages = try client.subscribe(
      filters, options: options, userProperties: properties.subscribeUsers,
      unsubscribesAtEnd: !connection.keepsSession)
    let isDone = try await withThrowingTaskGroup(of: Bool.self) { group in
      if let timeout {
        group.addTask {
          // Interrupted: the others end by themselves.
          do { try await Task.sleep(for: .seconds(timeout)) } catch { return true }
          return false
        }
      }
      group.addTask {
        do {
          try await client.connect()
          try await messages.subscribed()
          try await forget(client)
        } catch let error as MQTTAsyncError where error == .cancelled {
          // The server is told goodbye all the same.
          return true
        }
        return try await printAll(messages, client)
      }
      let first = try await group.next() ?? true
      group.cancelAll()
      return first
    }
    await client.disconnect()
    if messages.oversized > 0 { note("warning: \(messages.oversized) messages were too long and skipped") }
    if let failure = messages.failure { throw failure }
    return isDone || Task.isCancelled
  }

  private func forget(_ client: MQTTAsyncClient) async throws {
    for filter in unsubscribe {
      try await client.messages(filter).unsubscribe()
    }
  }

  private func printAll(_ messages: MQTTMessages, _ client: MQTTAsyncClient) async throws -> Bool {
    let isTerminal = isatty(1) != 0
    let isColored = isTerminal && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
    var style = MessageFormat.Style.plain
    if let format { style = .template(format) }
    if json { style = .json }
    if pretty { style = .pretty(colors: isColored) }
    let format = MessageFormat(
      style: style, showsTopic: verbose, endsLine: !noNewline, isSafe: isTerminal)
    let unwanted = filterOut.map { Array($0.utf8) }
    var printed = 0
    for await message in messages where isWanted(message, unwanted) {
      guard put(format.bytes(message)) else {
        let number = errno
        // Before the loop ends, which would acknowledge the message: a session that is kept keeps it.
        await client.disconnect()
        // Nobody reads any more.
        if number == EPIPE { return true }
        throw failure("cannot write: \(String(cString: strerror(number)))")
      }
      printed += 1
      if printed == count { return true }
    }
    return true
  }

  private func isWanted(_ message: MQTTReceivedMessage, _ unwanted: [[UInt8]]) -> Bool {
    if noRetained && message.retain || retainedOnly && !message.retain { return false }
    let topic = Array(message.topic.utf8)
    return !unwanted.contains { TopicFilter.matches($0.span, topic: topic.span) }
  }

  /// False: `errno` says why it is not, or not all, written.
  private func put(_ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
      if count >= 0 { rest = rest.dropFirst(count) } else if !mayRepeat(1, POLLOUT) { return false }
    }
    return true
  }
}
