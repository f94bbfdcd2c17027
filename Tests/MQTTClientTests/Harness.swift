import MQTTClient
import MQTTCodec

/// A client's event with what it refers to, to be compared in tests.
enum Seen: Equatable {
  case connected(Bool)
  case refused(ReasonCode)
  case failed(MQTTDisconnectReason)
  case disconnected(MQTTDisconnectReason)
  case message(String, [UInt8], QoS = .atMostOnce, retain: Bool = false, duplicate: Bool = false)
  case oversized(String, Int)
  case published(UInt16)
  case publishFailed(UInt16, MQTTPublishFailure)
  case subscribed(Int, QoS)
  case subscriptionRefused(Int, ReasonCode)
  case unsubscribed(Int, ReasonCode)
  case storeFailed(MQTTStoreError)
  case reauthenticated
}

/// A client with the owner's part played by the test, on a virtual clock. It speaks 3.1.1 unless the test
/// says otherwise.
final class Harness {
  let client: MQTTClient
  var now: UInt64 = 1_000
  var seen: [Seen] = []
  /// Runs when a message is delivered, as a handler does.
  var onMessage: (MQTTClient, String) -> Void = { _, _ in }

  init(
    store: (any MQTTSessionStore)? = nil, authenticator: (any MQTTAuthenticator)? = nil,
    _ adjust: (inout MQTTClientOptions) -> Void = { _ in }
  ) throws {
    var options = MQTTClientOptions(clientID: "dev", randomSeed: 42)
    options.version = .v3_1_1
    adjust(&options)
    client = try MQTTClient(options, store: store, authenticator: authenticator)
  }

  func pull() {
    while let event = client.nextEvent(now: now) {
      seen.append(describe(event))
      if case .message(let message) = event {
        let topic = client.withMessage(message) { topic, _ in String(decoding: array(topic), as: UTF8.self) }
        onMessage(client, topic)
      }
    }
  }

  func describe(_ event: MQTTEvent) -> Seen {
    switch event {
    case .connected(let sessionPresent): return .connected(sessionPresent)
    case .refused(let code): return .refused(code)
    case .connectionFailed(let reason): return .failed(reason)
    case .disconnected(let reason): return .disconnected(reason)
    case .published(let packetID): return .published(packetID)
    case .publishFailed(let packetID, let failure): return .publishFailed(packetID, failure)
    case .storeFailed(let error): return .storeFailed(error)
    case .unsubscribed(let subscription, let code): return .unsubscribed(subscription.index, code)
    case .reauthenticated: return .reauthenticated
    case .subscribed(let subscription, let qos): return .subscribed(subscription.index, qos)
    case .subscriptionRefused(let subscription, let code):
      return .subscriptionRefused(subscription.index, code)
    case .message(let message):
      return client.withMessage(message) { topic, payload in
        .message(
          String(decoding: array(topic), as: UTF8.self), array(payload), message.qos,
          retain: message.retain, duplicate: message.duplicate)
      }
    case .oversized(let message, let length):
      return client.withMessage(message) { topic, _ in
        .oversized(String(decoding: array(topic), as: UTF8.self), length)
      }
    }
  }

  /// Gives bytes to the client as one read after the other and pulls events; what does not fit into its
  /// buffer waits until there is room, like in a socket. Ends early when the client closes.
  func feed(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty, client.transportRequest == .none {
      let taken = client.withReceiveBuffer { buffer in
        let count = min(buffer.count, rest.count)
        for index in 0..<count { buffer[index] = rest[rest.startIndex + index] }
        return count
      }
      rest.removeFirst(taken)
      let before = seen.count
      pull()
      if taken == 0, seen.count == before { return }
    }
  }

  /// Everything that is to be written.
  func take() -> [UInt8] {
    var bytes: [UInt8] = []
    client.withOutput { span in
      bytes = array(span)
      return span.count
    }
    return bytes
  }

  /// Everything written until nothing is left.
  func takeAll() -> [UInt8] {
    var bytes: [UInt8] = []
    while client.hasOutput { bytes += take() }
    return bytes
  }

  /// The same with the events that follow.
  func takeLast() -> [UInt8] {
    let bytes = takeAll()
    pull()
    return bytes
  }

  /// Opens, connects and forgets about it.
  func connect(sessionPresent: Bool = false) {
    if !client.isConnected { client.start(now: now) }
    client.transportOpened(now: now)
    _ = takeAll()
    feed([0x20, 2, sessionPresent ? 1 : 0, 0])
    seen = []
  }

  /// Waits for the end of the backoff.
  func waitForOpen() {
    if client.transportRequest == .none { pull() }
    if let deadline = client.nextDeadline, client.transportRequest == .none {
      now = max(now, deadline)
      client.advance(to: now)
    }
  }

  func publish(_ topic: String, _ payload: [UInt8], qos: QoS = .atMostOnce, retain: Bool = false)
    throws(MQTTPublishError) -> UInt16
  {
    let topic = [UInt8](topic.utf8)
    return try client.publish(topic: topic.span, payload: payload.span, qos: qos, retain: retain)
  }

  @discardableResult
  func subscribe(
    _ filter: String, _ qos: QoS = .atMostOnce
  ) throws(MQTTSubscribeError) -> MQTTSubscription {
    let filter = [UInt8](filter.utf8)
    return try client.subscribe(filter: filter.span, qos: qos)
  }
}

func array(_ span: Span<UInt8>) -> [UInt8] {
  span.indices.map { span[$0] }
}

/// A `PUBLISH` as it is on the wire.
func publishPacket(
  _ topic: String, _ payload: [UInt8], qos: UInt8 = 0, packetID: UInt16 = 0, flags: UInt8 = 0
) -> [UInt8] {
  let topic = [UInt8](topic.utf8)
  var body = [UInt8(topic.count >> 8), UInt8(topic.count & 0xFF)] + topic
  if qos > 0 { body += [UInt8(packetID >> 8), UInt8(packetID & 0xFF)] }
  body += payload
  return [0x30 | qos << 1 | flags] + remainingLength(body.count) + body
}

func remainingLength(_ count: Int) -> [UInt8] {
  var bytes: [UInt8] = []
  var rest = count
  repeat {
    bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
    rest >>= 7
  } while rest > 0
  return bytes
}
