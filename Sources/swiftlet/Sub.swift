import ArgumentParser
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
      Options of mosquitto_sub that are not here: swiftlet --help.
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
  @OptionGroup(title: "OUTPUT") var output: OutputOptions
  @Flag(name: [.customShort("R"), .long], help: "Only fresh messages.") var noRetained = false
  @Flag(help: "Only retained messages: ends with the first fresh one.") var retainedOnly = false
  @Flag(help: "Have the server forget the retained messages that come.") var removeRetained = false
  @Flag(
    name: [.customShort("E"), .customLong("exit-subscribed")], help: "End when the server has the filters.")
  var endsSubscribed = false
  @Option(help: ArgumentHelp("Print so many of a hundred messages, by chance.", valueName: "percent"))
  var randomFilter: Double?
  @Option(help: "5.0: whether retained messages come: always, new (subscriptions only) or never.")
  var retainHandling = RetainHandling.always
  @Flag(help: "5.0: not what this client publishes itself.") var noLocal = false
  @Flag(help: "5.0: the retain flag as the publisher set it.") var retainAsPublished = false

  enum RetainHandling: String, ExpressibleByArgument, CaseIterable {
    case always, new, never
  }

  func validate() throws {
    _ = try quality(qos)
    if let count, count < 1 { throw ValidationError("--count is at least 1") }
    try checkTimeout(timeout)
    if let randomFilter, !(randomFilter > 0 && randomFilter <= 100) {
      throw ValidationError("--random-filter is more than 0, and at most 100")
    }
    try output.check()
    guard !noRetained || !retainedOnly else {
      throw ValidationError("--no-retained and --retained-only leave nothing")
    }
    try connection.check(forgets: !unsubscribe.isEmpty)
    try checkFilters(filterOut + unsubscribe + filters())
  }

  private func filters() throws -> [String] {
    let filters = try topic + [connection.urlTopic()].compactMap { $0 }
    guard !filters.isEmpty else {
      throw ValidationError("no topic: give --topic FILTER, such as -t 'swiftlet/#'")
    }
    return filters
  }

  func run() async throws { try await untilInterrupted(listen) }

  /// False: the time was over.
  private func listen() async throws -> Bool {
    let properties = try PropertyArguments(connection.properties)
    let client = try connection.makeClient(longest: 16 << 20, properties: properties)
    connection.report(client)
    var options = MQTTSubscribeOptions(
      qos: try quality(qos), noLocal: noLocal, retainAsPublished: retainAsPublished)
    options.retainHandling =
      retainHandling == .never ? .doNotSend : retainHandling == .new ? .sendIfNew : .send
    let messages = try client.subscribe(
      try filters(), options: options, userProperties: properties.subscribeUsers,
      identifier: properties.subscriptionIdentifier, unsubscribesAtEnd: !connection.keepsSession)
    let format = try output.messageFormat(identifier: properties.subscriptionIdentifier)
    let isDone = try await within(timeout) {
      do {
        try await client.connect()
        try await messages.subscribed()
        if !unsubscribe.isEmpty {
          try await client.unsubscribe(unsubscribe, userProperties: properties.unsubscribeUsers)
        }
      } catch let error as MQTTAsyncError where error == .cancelled {
        // The server is told goodbye all the same.
        return true
      }
      return endsSubscribed ? true : try await printAll(messages, client, format)
    }
    await client.disconnect()
    if messages.oversized > 0 { note("warning: \(messages.oversized) messages were too long and skipped") }
    if let failure = messages.failure { throw failure }
    return isDone || Task.isCancelled
  }

  private func printAll(
    _ messages: MQTTMessages, _ client: MQTTAsyncClient, _ format: MessageFormat
  ) async throws -> Bool {
    let unwanted = filterOut.map { Array($0.utf8) }
    var printed = 0
    for await message in messages {
      if retainedOnly && !message.retain { return true }
      guard isWanted(message, unwanted) else { continue }
      if removeRetained && message.retain && !message.payload.isEmpty {
        try await client.publish(message.topic, [], qos: .atLeastOnce, retain: true)
      }
      if let randomFilter, Double.random(in: 0..<100) >= randomFilter { continue }
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
    if noRetained && message.retain { return false }
    let topic = Array(message.topic.utf8)
    return !unwanted.contains { TopicFilter.matches($0.span, topic: topic.span) }
  }
}
