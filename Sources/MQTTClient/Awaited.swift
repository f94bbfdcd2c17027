/// The acknowledgement that is to come first: one that does not come while the connection stands never will.
struct Awaited {
  /// What is to be acknowledged, 0 when nothing is.
  private var packet: UInt32 = 0
  private var since: UInt64 = 0

  mutating func note(_ packet: UInt32, now: UInt64) {
    if packet != self.packet { since = now }
    self.packet = packet
  }

  /// Until when it has to have come; 0 milliseconds: whenever.
  func deadline(_ timeout: UInt64) -> UInt64? {
    packet == 0 || timeout == 0 ? nil : since + timeout
  }
}

extension Outbox {
  /// The oldest message that the server has not settled, with what it waits for; nil: none is under way.
  var firstAwaited: UInt32? {
    guard inFlight > 0 else { return nil }
    let oldest = record(at: head)
    return UInt32(oldest.packetID) << 8 | UInt32(oldest.state.rawValue)
  }
}

extension MQTTClient {
  /// There is something to tell, or to be looked at, that no byte and no time will bring.
  var hasNews: Bool {
    if pendingEvent != nil { return state != .parting }
    return outbox.untold > 0
      || MQTTVersion.hasV5 && (hasUnavailable || authentication.isAnswering && canReceive)
      || state == .connected && waitsForRoom && output.capacity - output.count >= Self.answerRoom
  }

  /// Notes what the server is to answer first.
  func noteAwaited() {
    awaited.note(outbox.firstAwaited ?? subscriptions.firstAwaited() ?? 0, now: clock)
  }
}
