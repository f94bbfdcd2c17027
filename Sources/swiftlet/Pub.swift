import ArgumentParser
import Foundation
import MQTTAsync

struct Pub: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Publish messages.",
    discussion: """
      Give one of --message, --file, --stdin-line, --stdin-file and --null-message.

        swiftlet pub -h broker.local -t swiftlet/greenhouse/fan/set -m ON
        sensors | swiftlet pub -h broker.local -t values -l -q 1

      Ends with 0 when the server has everything, with 1 when it has not, with 64 after wrong usage.
      """)

  @OptionGroup(title: "CONNECTION") var connection: ConnectionOptions
  @Option(name: .shortAndLong, help: "The topic.") var topic: String?
  @Option(name: .shortAndLong, help: "Publish this text.") var message: String?
  @Option(name: .shortAndLong, help: "Publish a file.") var file: String?
  @Flag(name: [.customShort("l"), .long], help: "Publish each line of standard input.") var stdinLine = false
  @Flag(name: [.customShort("s"), .long], help: "Publish all of standard input as one message.")
  var stdinFile = false
  @Flag(name: [.customShort("n"), .long], help: "Publish a message without bytes.") var nullMessage = false
  @Option(name: .shortAndLong, help: "0: at most once, 1: at least once, 2: exactly once.") var qos: Int = 0
  @Flag(name: .shortAndLong, help: "The server keeps it for new subscribers.") var retain = false
  @Option(help: "Publish it so many times.") var `repeat`: Int = 1
  @Option(help: "Seconds between them.") var repeatDelay: Double = 0

  func validate() throws {
    let sources = [message != nil, file != nil, stdinLine, stdinFile, nullMessage].count { $0 }
    guard sources == 1 else {
      throw ValidationError(
        sources == 0
          ? "nothing to publish: give --message, --file, --stdin-line, --stdin-file or --null-message"
          : "one of --message, --file, --stdin-line, --stdin-file and --null-message is enough")
    }
    _ = try quality(qos)
    guard `repeat` >= 1, repeatDelay >= 0 else { throw ValidationError("--repeat is at least 1") }
    try connection.check()
  }

  func run() async throws {
    do {
      try await publish()
    } catch let error as MQTTAsyncError {
      throw failure(error)
    }
  }

  private func publish() async throws {
    guard let topic = try topic ?? connection.urlTopic() else {
      throw ValidationError("no topic: give --topic, or a --url that ends with one")
    }
    let properties = try PropertyArguments(connection.properties)
    let payload = try onePayload()
    let client = try connection.makeClient(longest: payload?.count ?? 1 << 20, properties: properties)
    connection.report(client)
    try await client.connect()
    let qos = try quality(qos)
    if let payload {
      for number in 1...`repeat` {
        if number > 1 { try await Task.sleep(for: .seconds(repeatDelay)) }
        try await client.publish(topic, payload, qos: qos, retain: retain, properties: properties.message)
      }
    } else {
      let flow = LineFlow(
        client: client, topic: topic, qos: qos, retain: retain, properties: properties.message)
      try await flow.run()
    }
    await client.disconnect()
  }

  /// Nil: lines are to be published.
  private func onePayload() throws -> [UInt8]? {
    if let message { return Array(message.utf8) }
    if let file {
      do { return Array(try Data(contentsOf: URL(fileURLWithPath: file))) } catch {
        throw ValidationError("cannot read \(file): \(error.localizedDescription)")
      }
    }
    if stdinFile { return Array(try FileHandle.standardInput.readToEnd() ?? Data()) }
    return nullMessage ? [] : nil
  }
}

/// Publishes the lines of standard input in order, each when the one before is where its QoS wants it: whoever
/// writes has to wait with us.
struct LineFlow {
  let client: MQTTAsyncClient
  let topic: String
  let qos: MQTTQoS
  let retain: Bool
  let properties: MQTTMessageProperties

  func run() async throws(MQTTAsyncError) {
    var input = LineReader()
    while let line = input.next() {
      try await client.publish(topic, line, qos: qos, retain: retain, properties: properties)
    }
  }
}

/// The lines of standard input without their ends, as bytes, whatever they are. The client has a thread of its
/// own, so that waiting here holds nothing up.
struct LineReader {
  private var buffer: [UInt8] = []
  private var isAtEnd = false

  mutating func next() -> [UInt8]? {
    while !isAtEnd {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(buffer[..<end])
        buffer.removeFirst(end + 1)
        return line
      }
      var chunk = [UInt8](repeating: 0, count: 65_536)
      let count = read(0, &chunk, chunk.count)
      if count > 0 { buffer += chunk.prefix(count) } else { isAtEnd = true }
    }
    guard !buffer.isEmpty else { return nil }
    // Without an end of line at the end.
    defer { buffer.removeAll() }
    if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) { return Array(buffer[..<end]) }
    return buffer
  }
}
