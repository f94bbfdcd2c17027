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
    let request = properties
    return try await Self.within(timeout) { () async throws(MQTTAsyncError) in
      let responses = try await self.messages("\(prefix)/\(name)")
      try await self.publish(topic, payload, qos: qos, properties: request)
      let response = await responses.first { $0.properties.correlationData == correlation }
      guard let response else { throw Task.isCancelled ? .cancelled : responses.failure ?? .closed }
      return response
    }
  }

  /// What `body` returns, if it does so in time.
  private static func within<R: Sendable>(
    _ time: Duration, _ body: @escaping @Sendable () async throws(MQTTAsyncError) -> R
  ) async throws(MQTTAsyncError) -> R {
    let result = await withTaskGroup(of: Result<R, MQTTAsyncError>.self) { group in
      group.addTask {
        do throws(MQTTAsyncError) { return .success(try await body()) } catch { return .failure(error) }
      }
      group.addTask {
        do { try await Task.sleep(for: time) } catch { return .failure(.cancelled) }
        return .failure(.timedOut)
      }
      let first = await group.next() ?? .failure(.timedOut)
      group.cancelAll()
      return first
    }
    return try result.get()
  }
}

extension MQTTConnectionState {
  public var isConnected: Bool {
    if case .connected = self { return true }
    return false
  }
}
