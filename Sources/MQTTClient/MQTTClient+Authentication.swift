import MQTTCodec

/// How far an authentication in several steps is (MQTT 5.0, section 4.12).
struct Authentication {
  var isUnderWay = false
  /// The authenticator has begun to answer the challenge at the front of the receive buffer.
  var isAnswering = false
  /// Data of ours, and the properties that carry them.
  var data: [UInt8] = []
  var properties = PropertyList()
  /// An `AUTH` with these properties waits for room.
  var waiting: MQTTReasonCode?

  /// The method, and the data unless there are none. False when they are too long.
  mutating func writeProperties(_ method: StaticString) -> Bool {
    properties.removeAll()
    let data = data
    let name = UnsafeBufferPointer(start: method.utf8Start, count: method.utf8CodeUnitCount)
    do throws(EncodingError) {
      try properties.append(.authenticationMethod, name.span)
      if !data.isEmpty { try properties.append(.authenticationData, data.span) }
      return true
    } catch {
      return false
    }
  }
}

extension MQTTClient {
  /// Proves anew who we are, on the connection that stands; `.reauthenticated` tells when that is done.
  /// False when there is no authenticator or connection of 5.0, or it is under way. [MQTT5-4.12.1-1]
  @discardableResult
  public func reauthenticate() -> Bool {
    guard state == .connected, isV5, let authenticator, !authentication.isUnderWay else { return false }
    authentication.data.removeAll(keepingCapacity: true)
    authenticator.start(into: &authentication.data)
    guard authentication.writeProperties(authenticator.method) else { return false }
    authentication.isUnderWay = true
    sendAuthentication(.reauthenticate)
    return true
  }

  /// `AUTH` of the server. [MQTT5-4.12.0-2], [MQTT5-4.12.0-3], [MQTT5-4.12.0-5]
  @inline(never)
  func authenticated(_ body: Span<UInt8>, at position: Int) throws(MQTTDisconnectReason) -> MQTTEvent? {
    let reason: Reason
    do {
      reason = try Reason.decode(body, of: .auth)
    } catch {
      throw .malformed(error)
    }
    noteProperties(reason.properties, at: position)
    guard let authenticator, authentication.isUnderWay else { throw .violation(.protocolError) }
    let properties = body.extracting(reason.properties)
    try checkMethod(properties, authenticator.method)
    var dataRange = 0..<0
    try readProperties(properties) { property, _ in
      if property.id == .authenticationData { dataRange = property.value }
    }
    let data = properties.extracting(dataRange)
    switch reason.code {
    case .continueAuthentication:
      authentication.data.removeAll(keepingCapacity: true)
      let answer = authenticator.answer(data, into: &authentication.data)
      authentication.isAnswering = answer == .later
      if answer == .later { return nil }
      guard answer == .given, authentication.writeProperties(authenticator.method) else {
        throw .authenticationFailed
      }
      sendAuthentication(.continueAuthentication)
      return nil
    case .success where state == .connected:
      try finishAuthentication(data)
      return .reauthenticated
    default: throw .violation(.protocolError)
    }
  }

  /// The server is satisfied; are we?
  func finishAuthentication(_ data: Span<UInt8>) throws(MQTTDisconnectReason) {
    guard authentication.isUnderWay, let authenticator else { return }
    authentication.isUnderWay = false
    guard authenticator.finish(data) else { throw .authenticationFailed }
  }

  private func checkMethod(
    _ properties: Span<UInt8>, _ method: StaticString
  ) throws(MQTTDisconnectReason) {
    var isSame = false
    Properties.withFirst(.authenticationMethod, in: properties) { name in
      isSame = name.count == method.utf8CodeUnitCount
      var index = 0
      while isSame, index < name.count {
        isSame = name[index] == method.utf8Start[index]
        index += 1
      }
    }
    guard isSame else { throw .violation(.protocolError) }
  }

  private func sendAuthentication(_ code: MQTTReasonCode) {
    authentication.waiting = code
    flushAuthentication()
  }

  /// Writes the `AUTH` that waits, once there is room for it.
  func flushAuthentication() {
    guard let code = authentication.waiting, state == .connecting || state == .connected,
      output.makeRoom(authentication.properties.bytes.count + 12)
    else { return }
    authentication.waiting = nil
    let properties = authentication.properties.bytes
    _ = output.write { span throws(EncodingError) in
      try Reason.encode(.auth, code, properties: properties.span, into: &span)
    }
  }
}
