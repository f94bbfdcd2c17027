import MQTTClient
import MQTTCodec

/// A client of 5.0 that does not fall back.
func harnessV5(
  authenticator: (any MQTTAuthenticator)? = nil, _ adjust: (inout MQTTClientOptions) -> Void = { _ in }
) throws -> Harness {
  try Harness(authenticator: authenticator) { options in
    options.version = .v5
    options.fallsBack = false
    adjust(&options)
  }
}

/// Properties as they are on the wire, without their length.
func properties(_ fill: (inout PropertyList) throws -> Void) rethrows -> [UInt8] {
  var list = PropertyList()
  try fill(&list)
  return list.bytes
}

func number(_ id: PropertyID, _ value: UInt32) -> [UInt8] {
  properties { $0.append(id, value) }
}

func text(_ id: PropertyID, _ value: String) -> [UInt8] {
  [id.rawValue, 0, UInt8(value.utf8.count)] + Array(value.utf8)
}

/// A packet with a body of less than 128 bytes.
func packet(_ first: UInt8, _ body: [UInt8]) -> [UInt8] {
  [first, UInt8(body.count)] + body
}

func connack(
  _ properties: [UInt8] = [], reason: UInt8 = 0, sessionPresent: Bool = false
) -> [UInt8] {
  packet(0x20, [sessionPresent ? 1 : 0, reason, UInt8(properties.count)] + properties)
}

/// A `PUBLISH` of 5.0.
func publishV5(
  _ topic: String, _ payload: [UInt8], qos: UInt8 = 0, packetID: UInt16 = 0, flags: UInt8 = 0,
  _ properties: [UInt8] = []
) -> [UInt8] {
  let topic = [UInt8](topic.utf8)
  var body = [UInt8(topic.count >> 8), UInt8(topic.count & 0xFF)] + topic
  if qos > 0 { body += [UInt8(packetID >> 8), UInt8(packetID & 0xFF)] }
  body += remainingLength(properties.count) + properties + payload
  return [0x30 | qos << 1 | flags] + remainingLength(body.count) + body
}

extension Harness {
  /// Opens and writes `CONNECT`, which is answered.
  func open() -> [UInt8] {
    if client.transportRequest != .open { client.start(now: now) }
    client.transportOpened(now: now)
    return takeAll()
  }

  /// Opens, connects and forgets about it.
  func connectV5(sessionPresent: Bool = false, _ properties: [UInt8] = []) {
    _ = open()
    feed(connack(properties, sessionPresent: sessionPresent))
    seen = []
  }

  /// The connection is lost, and it is time for the next one.
  func lose() {
    _ = takeAll()
    client.transportClosed(now: now)
    pull()
    waitForOpen()
  }

  func publish(
    _ topic: String, _ payload: [UInt8], qos: QoS = .atMostOnce, retain: Bool = false, properties: [UInt8]
  ) throws(MQTTPublishError) -> UInt16 {
    let topic = [UInt8](topic.utf8)
    return try client.publish(
      topic: topic.span, payload: payload.span, qos: qos, retain: retain, properties: properties.span)
  }

  var reasonString: String? {
    var text: String?
    client.withReasonString { text = String(decoding: array($0), as: UTF8.self) }
    return text
  }
}
