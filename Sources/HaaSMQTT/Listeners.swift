import MQTTAsync

/// Who wants to hear what, and one callback at a time.
final class Listeners: Sendable {
  struct Lists {
    var events: [mqtt.MQTTClient.Event: [@Sendable () -> Void]] = [:]
    var message: [@Sendable (String, [UInt8]) -> Void] = []
    var error: [@Sendable (String) -> Void] = []
  }

  private let lists = Locked(Lists())
  private let turns = Turns()

  private actor Turns {
    func run(_ body: @Sendable () -> Void) { body() }
  }

  func change(_ body: (inout Lists) -> Void) { lists.withLock { body(&$0) } }

  func run(_ body: @Sendable () -> Void) async { await turns.run(body) }

  func tell(_ event: mqtt.MQTTClient.Event) async {
    for listener in lists.withLock({ $0.events[event] ?? [] }) { await run(listener) }
  }

  func tell(error: String) async {
    for listener in lists.withLock({ $0.error }) { await run { listener(error) } }
  }

  /// Hands messages on until they end; whoever is slow makes the server wait.
  func take(_ messages: MQTTMessages) async {
    for await message in messages {
      for listener in lists.withLock({ $0.message }) {
        await run { listener(message.topic, message.payload) }
      }
    }
  }

  func watch(_ states: AsyncStream<MQTTConnectionState>, _ options: mqtt.Options) async {
    var hasBeenConnected = false
    var isConnected = false
    var hasFailed = false
    for await state in states {
      switch state {
      case .idle, .connecting: break
      case .connected:
        isConnected = true
        if !hasBeenConnected, let success = options.success { await run(success) }
        await tell(hasBeenConnected ? .reconnect : .connect)
        hasBeenConnected = true
      case .disconnected(let error):
        if isConnected { await tell(.disconnect) } else { await tell(error: "\(error)") }
        if !hasBeenConnected, !hasFailed, let fail = options.fail { await run { fail("\(error)") } }
        hasFailed = true
        isConnected = false
      case .closed:
        if isConnected { await tell(.disconnect) }
        await tell(.close)
      }
    }
  }
}
