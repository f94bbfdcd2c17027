import MQTTClient

/// The messages of a subscription, as they come. For one `for await` loop at a time.
///
/// The subscription ends, and the server is told, when the task that takes messages is cancelled, with
/// `unsubscribe`, and when nobody holds this object any more; the messages end when the client disconnects
/// as well. Lost connections do not end it: the subscription is renewed. Messages of QoS 1 and 2 are
/// acknowledged when they are in the buffer.
public final class MQTTMessages: AsyncSequence, Sendable {
  public typealias Element = MQTTReceivedMessage
  public typealias Failure = Never

  private let client: MQTTAsyncClient
  private let buffer: MessageBuffer
  private let id: UInt64

  init(_ client: MQTTAsyncClient, _ id: UInt64, _ buffer: MessageBuffer) {
    self.client = client
    self.buffer = buffer
    self.id = id
  }

  deinit {
    finish()
  }

  /// Returns when the server has granted all filters; throws when it refuses one, or when a filter is none.
  public func subscribed() async throws(MQTTAsyncError) {
    let id = id
    try await client.call { engine, call, waiter in engine.wait(id, call, waiter) }
  }

  /// Ends the subscription; messages that are in the buffer can still be taken.
  public func unsubscribe() {
    finish()
  }

  /// Why the messages have ended, when neither the client nor its owner wanted that: the server did not
  /// renew the subscription.
  public var failure: MQTTAsyncError? { buffer.failure }
  /// Messages that were dropped because nobody took them.
  public var dropped: Int { buffer.dropped }
  /// Messages that were longer than `receiveCapacity` and skipped.
  public var oversized: Int { buffer.oversized }

  public func makeAsyncIterator() -> Iterator {
    Iterator(messages: self)
  }

  public struct Iterator: AsyncIteratorProtocol {
    let messages: MQTTMessages

    public func next() async -> MQTTReceivedMessage? {
      await messages.next()
    }

    public func next(isolation: isolated (any Actor)?) async -> MQTTReceivedMessage? {
      await messages.next()
    }
  }

  private func next() async -> MQTTReceivedMessage? {
    let client = client
    let message = await buffer.next { client.wake() }
    if message == nil { finish() }
    return message
  }

  private func finish() {
    buffer.finish()
    let id = id
    client.submit { $0.close(id) }
  }
}
