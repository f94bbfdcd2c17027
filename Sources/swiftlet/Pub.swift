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
        sensors | swiftlet pub -h broker.local -t values -l -q 1 --outbox values.db

      Ends with 0 when the server has everything, or the outbox what is left, which standard error tells then; with 1
      when that is not so, with 64 after wrong usage. Options of mosquitto_pub that are not here: swiftlet --help.
      """)

  @OptionGroup(title: "CONNECTION") var connection: ConnectionOptions
  @Option(name: .shortAndLong, help: "The topic.") var topic: String?
  @OptionGroup(title: "MESSAGE") var payload: PayloadOptions
  @Flag(name: [.customShort("l"), .long], help: "Publish each line of standard input, of up to 16 MiB.")
  var stdinLine = false
  @Option(name: .shortAndLong, help: "0: at most once, 1: at least once, 2: exactly once.") var qos: Int = 0
  @Flag(name: .shortAndLong, help: "The server keeps it for new subscribers.") var retain = false
  @Option(name: [.customShort("M"), .long], help: "Messages of QoS 1 and 2 without an answer at most (16).")
  var maxInflight: UInt16?
  @Option(help: "Publish it so many times.") var `repeat`: Int = 1
  @Option(help: "Seconds between them.") var repeatDelay: Double = 0
  @Option(
    help: ArgumentHelp(
      "Keep messages in this file until the server has them, through outages and the loss of power. The next run "
        + "with it publishes what is left.", valueName: "file"))
  var outbox: String?
  @Option(
    help: ArgumentHelp(
      "After a lost connection, leave when that many seconds have brought nothing further. Lines of standard input "
        + "wait without --outbox as long as it takes.")
  )
  var retryFor: Double = 30

  func validate() throws {
    let sources = payload.count + (stdinLine ? 1 : 0)
    guard sources == 1 else {
      throw ValidationError(
        sources == 0
          ? "nothing to publish: give --message, --file, --stdin-line, --stdin-file or --null-message"
          : "one of --message, --file, --stdin-line, --stdin-file and --null-message is enough")
    }
    _ = try quality(qos)
    guard `repeat` >= 1 else { throw ValidationError("--repeat is at least 1") }
    guard repeatDelay >= 0, repeatDelay <= 1e9 else {
      throw ValidationError("--repeat-delay is from 0 to 1000000000")
    }
    guard `repeat` == 1 || !stdinLine else {
      throw ValidationError("--repeat has no effect with --stdin-line: leave it out")
    }
    guard repeatDelay == 0 || `repeat` > 1 else {
      throw ValidationError("--repeat-delay has no effect without --repeat")
    }
    guard outbox == nil || qos > 0 else {
      throw ValidationError("--outbox needs --qos 1 or 2: messages of QoS 0 are not kept")
    }
    guard retryFor >= 0, retryFor <= 1e9 else { throw ValidationError("--retry-for is from 0 to 1000000000") }
    guard outbox == nil || qos < 2 || connection.keepsSession else {
      throw ValidationError(
        "--outbox with --qos 2 needs --id and --disable-clean-session: exactly once takes a server that knows us"
      )
    }
    guard maxInflight != 0 else { throw ValidationError("--max-inflight is at least 1") }
    try connection.check()
    try checkTopic(try publishTopic(), "--topic")
  }

  private func publishTopic() throws -> String {
    guard let topic = try connection.topic(topic) else {
      throw ValidationError("no topic: give --topic, or a --url that ends with one")
    }
    return topic
  }

  func run() async throws {
    do {
      try await publish()
    } catch let error as MQTTAsyncError {
      throw failure(error)
    }
  }

  private func publish() async throws {
    let topic = try publishTopic()
    let properties = try PropertyArguments(connection.properties)
    let payload = try payload.bytes()
    let client = try connection.makeClient(
      longest: payload?.count ?? 16 << 20, properties: properties,
      outbox: outbox.map { MQTTOutbox(path: $0) }, maxInFlight: maxInflight)
    connection.report(client)
    if let outbox {
      if let damage = client.outboxDamage {
        note("warning: outbox \(outbox): \(damage); it was moved to \(outbox).damaged, and a new one begun")
      }
      client.start()
    } else {
      try await client.connect()
    }
    let message = Draft(
      topic: topic, qos: try quality(qos), retain: retain, properties: properties.message,
      durability: outbox == nil ? .memory : .disk)
    if let payload {
      for number in 1...`repeat` {
        if number > 1 { try await Task.sleep(for: .seconds(repeatDelay)) }
        if outbox == nil {
          try await publish(payload, as: message, with: client)
        } else {
          try await message.publish(payload, with: client)
        }
      }
    } else {
      // Each line when the one before is where its QoS wants it, or kept: whoever writes has to wait with us.
      var input = LineReader()
      while let line = try input.next() { try await message.publish(line, with: client) }
    }
    if let outbox { try await empty(outbox, client) }
    await client.disconnect()
  }

  /// Publishes to a server that may come and go, but not for ever: one that takes the connection and never the message
  /// is as good as none.
  private func publish(_ payload: [UInt8], as message: Draft, with client: MQTTAsyncClient) async throws {
    let states = client.states
    let patience = retryFor
    try await withThrowingTaskGroup(of: Bool.self) { group in
      defer { group.cancelAll() }
      group.addTask {
        try await message.publish(payload, with: client)
        return true
      }
      group.addTask {
        for await state in states {
          guard case .disconnected(let error) = state else { continue }
          try await Task.sleep(for: .seconds(patience))
          throw error
        }
        return false
      }
      while let isPublished = try await group.next(), !isPublished {}
    }
  }

  /// Publishes what is kept, as far as there are connections.
  private func empty(_ outbox: String, _ client: MQTTAsyncClient) async throws {
    var refusal: MQTTAsyncError?
    do throws(MQTTAsyncError) {
      if !client.hasBeenConnected, case .disconnected(let error) = client.state { throw error }
      try await client.connect(retryingFor: client.hasBeenConnected ? .seconds(retryFor) : .zero)
      var left = Int.max
      var end = ContinuousClock.now
      while true {
        do throws(MQTTAsyncError) {
          try await client.flush()
          break
        } catch .publishFailed(let failure, let reason) {
          refusal = .publishFailed(failure, reason)
        } catch {
          let count = await client.unsettled
          if count < left { (left, end) = (count, .now + .seconds(retryFor)) }
          guard error != .cancelled, error != .closed, .now < end else { throw error }
          try await client.connect(retryingFor: end - .now)
        }
      }
    } catch {
      let count = await client.unsettled
      if count > 0 {
        note("warning: \(words(error)); kept in \(outbox) for the next run: \(count)")
      }
    }
    if let refusal {
      await client.disconnect()
      throw refusal
    }
  }
}

/// All of a message but its payload.
private struct Draft {
  let topic: String
  let qos: MQTTQoS
  let retain: Bool
  let properties: MQTTMessageProperties
  let durability: MQTTDurability

  func publish(_ payload: [UInt8], with client: MQTTAsyncClient) async throws(MQTTAsyncError) {
    try await client.publish(
      topic, payload, qos: qos, retain: retain, properties: properties, durability: durability)
  }
}
