import ArgumentParser
import Foundation
import MQTTAsync

struct Rr: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Publish a request and print its response.",
    discussion: """
      swiftlet rr -h broker.local -t questions -e answers/desk -m 'how warm?'

      Prints the first message on the response topic, which the request names in
      MQTT 5.0; one with other correlation data than the request is somebody
      else's. Ends with 0 then, with 27 when --timeout is over, with 1 when the
      server cannot be reached or refuses, with 64 after wrong usage. Options of
      mosquitto_rr that are not here: swiftlet --help.
      """)

  @OptionGroup(title: "CONNECTION") var connection: ConnectionOptions
  @OptionGroup(title: "REQUEST") var payload: PayloadOptions
  @OptionGroup(title: "OUTPUT") var output: OutputOptions
  @Option(name: .shortAndLong, help: "The topic of the request.") var topic: String?
  @Option(
    name: [.customShort("e"), .customLong("response-topic")], help: "The topic on which the response comes.")
  var responseTopic: String
  @Option(name: .shortAndLong, help: "0: at most once, 1: at least once, 2: exactly once.") var qos: Int = 0
  @Option(name: [.customShort("W"), .long], help: "End after so many seconds, with 27.") var timeout: Double?
  @Flag(name: [.customShort("R"), .long], help: "Only fresh messages.") var noRetained = false

  func validate() throws {
    guard payload.count == 1 else {
      throw ValidationError(
        payload.count == 0
          ? "nothing to ask: give --message, --file, --stdin-file or --null-message"
          : "one of --message, --file, --stdin-file and --null-message is enough")
    }
    _ = try quality(qos)
    try checkTimeout(timeout)
    try output.check()
    try checkTopic(responseTopic, "--response-topic")
    try connection.check()
    try checkTopic(try requestTopic(), "--topic")
  }

  private func requestTopic() throws -> String {
    guard let topic = try connection.topic(topic) else {
      throw ValidationError("no topic: give --topic, or a --url that ends with one")
    }
    return topic
  }

  func run() async throws { try await untilInterrupted(ask) }

  private func ask() async throws -> Bool {
    let bytes = try payload.bytes() ?? []
    let properties = try PropertyArguments(connection.properties)
    let client = try connection.makeClient(longest: max(bytes.count, 16 << 20), properties: properties)
    connection.report(client)
    let format = try output.messageFormat(identifier: properties.subscriptionIdentifier)
    let responses = try client.subscribe(
      [responseTopic], options: MQTTSubscribeOptions(qos: try quality(qos)),
      userProperties: properties.subscribeUsers, identifier: properties.subscriptionIdentifier)
    let isDone = try await within(timeout) {
      do {
        try await client.connect()
        try await responses.subscribed()
        var request = properties.message
        request.responseTopic = request.responseTopic ?? responseTopic
        try await client.publish(try requestTopic(), bytes, qos: try quality(qos), properties: request)
      } catch let error as MQTTAsyncError where error == .cancelled {
        return true
      }
      for await response in responses where isMeant(response, properties.message.correlationData) {
        guard put(format.bytes(response)) || errno == EPIPE else {
          throw failure("cannot write: \(String(cString: strerror(errno)))")
        }
        return true
      }
      return true
    }
    await client.disconnect()
    if let failure = responses.failure { throw failure }
    return isDone || Task.isCancelled
  }

  private func isMeant(_ response: MQTTReceivedMessage, _ correlation: [UInt8]?) -> Bool {
    if noRetained && response.retain { return false }
    guard let correlation, let other = response.properties.correlationData else { return true }
    return correlation == other
  }
}
