import MQTTClient

/// Where a client stands with its servers.
public enum MQTTConnectionState: Equatable, Sendable {
  /// `connect` was not called yet.
  case idle
  case connecting
  /// A server has accepted us. `sessionPresent`: it still knew us.
  case connected(MQTTVersion, sessionPresent: Bool)
  /// An attempt failed or the connection is lost; the next attempt follows by itself.
  case disconnected(MQTTAsyncError)
  /// For good.
  case closed
}

/// Tells everybody who asks; what nobody takes is replaced by what is newer, 64 states later.
final class ConnectionStates: Sendable {
  private struct Listeners {
    var current = MQTTConnectionState.idle
    var hasBeenConnected = false
    var listeners: [UInt64: AsyncStream<MQTTConnectionState>.Continuation] = [:]
    var lastID: UInt64 = 0
  }

  private let state = Locked(Listeners())

  var current: MQTTConnectionState { state.withLock { $0.current } }
  var hasBeenConnected: Bool { state.withLock { $0.hasBeenConnected } }

  func tell(_ new: MQTTConnectionState) {
    let ended = state.withLock { state -> [AsyncStream<MQTTConnectionState>.Continuation] in
      guard state.current != .closed else { return [] }
      state.current = new
      if new.isConnected { state.hasBeenConnected = true }
      for listener in state.listeners.values { listener.yield(new) }
      guard new == .closed else { return [] }
      let ended = Array(state.listeners.values)
      state.listeners.removeAll()
      return ended
    }
    // Outside the lock: their termination takes it.
    for listener in ended { listener.finish() }
  }

  /// The current state, and all that follow.
  func stream() -> AsyncStream<MQTTConnectionState> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: MQTTConnectionState.self, bufferingPolicy: .bufferingNewest(64))
    let id = state.withLock { state -> UInt64 in
      state.lastID += 1
      continuation.yield(state.current)
      if state.current == .closed { return 0 }
      state.listeners[state.lastID] = continuation
      return state.lastID
    }
    if id == 0 { continuation.finish() }
    // Outside the lock: a stream that has ended calls it at once.
    continuation.onTermination = { [weak self] _ in
      _ = self?.state.withLock { $0.listeners.removeValue(forKey: id) }
    }
    return stream
  }
}
