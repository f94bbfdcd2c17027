import MQTTCodec

/// The `CONNECT` of a client, written once at init: a reconnect copies it.
enum ConnectPacket {
  static func encode(_ options: MQTTClientOptions) throws(MQTTOptionsError) -> [UInt8] {
    try check(options)
    let will = options.will
    let clientID = options.clientID.utf8
    let willTopic = (will?.topic ?? "").utf8
    let willPayload = will?.payload ?? []
    let username = (options.username ?? "").utf8
    let password = options.password ?? []
    let fields = Connect.Options(
      cleanSession: options.cleanSession, keepAlive: options.keepAlive,
      willQoS: will?.qos ?? .atMostOnce, willRetain: will?.retain ?? false)
    let strings = clientID.count + willTopic.count + username.count
    let room = 32 + strings + willPayload.count + password.count
    var packet = [UInt8](repeating: 0, count: room)
    var span = packet.mutableSpan
    let length: Int
    do {
      length = try Connect.encode(
        fields, clientID: clientID.span, willTopic: will == nil ? nil : willTopic.span,
        willPayload: will == nil ? nil : willPayload.span,
        username: options.username == nil ? nil : username.span,
        password: options.password == nil ? nil : password.span, into: &span)
    } catch {
      throw .invalidString
    }
    packet.removeLast(packet.count - length)
    return packet
  }

  private static func check(_ options: MQTTClientOptions) throws(MQTTOptionsError) {
    guard isText(options.clientID), isText(options.username ?? "") else { throw .invalidString }
    guard options.cleanSession || !options.clientID.utf8.isEmpty else { throw .emptyClientID }
    guard options.password == nil || options.username != nil else { throw .passwordWithoutUsername }
    guard options.receiveCapacity >= 16, options.sendCapacity >= 128, options.outboxCapacity >= 64,
      options.maxInFlight >= 1, options.receiveCapacity <= Int(Int32.max),
      options.outboxCapacity <= Int(Int32.max)
    else { throw .invalidCapacity }
    guard let will = options.will else { return }
    do {
      try TopicName.check(will.topic.utf8.span)
    } catch {
      throw .invalidWillTopic
    }
  }

  private static func isText(_ string: String) -> Bool {
    string.utf8.count <= 0xFFFF && UTF8Text.isValid(string.utf8.span)
  }
}
