import MQTTClient

extension MQTTAsyncClient {
  /// Publishes a request and returns its response (MQTT 5.0, section 4.10): the first message on a response
  /// topic of this request's own that has the request's correlation data. It comes at QoS 0, so that it does not
  /// stand behind messages that wait to be handled. Throws `.timedOut`, and `.needsMQTT5` when the server speaks
  /// 3.1.1 only.
  public func request(
    _ topic: String, _ payload: [UInt8], qos: MQTTQoS = .atLeastOnce,
    properties: MQTTMessageProperties = MQTTMessageProperties(), responsesBelow prefix: String = "responses",
    timeout: Duration = .seconds(10)
  ) async throws(MQTTAsyncError) -> MQTTReceivedMessage {
    guard case .connected(.v5, _) = state else {
      throw state.isConnected ? .needsMQTT5 : .notConnected
    }
    let correlation = (0..<8).map { _ in UInt8.random(in: 0...255) }
    let name = correlation.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    var properties = properties
    properties.responseTopic = "\(prefix)/\(name)"
    properties.correlationData = correlation
    let responses = try await messages("\(prefix)/\(name)")
    try await publish(topic, payload, qos: qos, properties: properties)
    let response = await responses.first(within: timeout) { $0.properties.correlationData == correlation }
    if let response { return response }
    throw Task.isCancelled ? .cancelled : .timedOut
  }
}

extension MQTTMessages {
  /// The first message that is right, if it comes in time. Ends the subscription.
  func first(
    within time: Duration, where isRight: @escaping @Sendable (MQTTReceivedMessage) -> Bool
  ) async -> MQTTReceivedMessage? {
    await withTaskGroup(of: MQTTReceivedMessage?.self) { group in
      group.addTask { await self.first { isRight($0) } }
      group.addTask {
        do { try await Task.sleep(for: time) } catch { return nil }
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
  }
}

extension MQTTConnectionState {
  public var isConnected: Bool {
    if case .connected = self { return true }
    return false
  }
}
