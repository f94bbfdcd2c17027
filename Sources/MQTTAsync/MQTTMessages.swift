import MQTTClient

/// The messages of a subscription, as they come. For one `for await` loop at a time.
///
/// The subscription ends, and the server is told, when the task that takes messages is cancelled, with
/// `unsubscribe`, and when nobody holds this object any more; the messages end when the client disconnects
/// as well. Lost connections do not end it: the subscription is renewed.
///
/// A message of QoS 1 or 2 is acknowledged when the loop asks for the one after it, or ends: a crash in its
/// middle loses nothing of a session that the server keeps. Until then it counts against `receiveMaximum`, so
/// that the server sends no more than so many ahead. What nobody has taken when the subscription ends is
/// acknowledged then (unless `unsubscribesAtEnd` was false), and what comes to a stream that may drop messages
/// is at once.
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
    private let messages: MQTTMessages
    private let handling: Handling

    init(messages: MQTTMessages) {
      self.messages = messages
      handling = Handling(messages.client)
    }

    public mutating func next() async -> MQTTReceivedMessage? {
      await next(isolation: nil)
    }

    public mutating func next(isolation: isolated (any Actor)?) async -> MQTTReceivedMessage? {
      handling.end()
      let next = await messages.next()
      handling.number = next?.number ?? 0
      return next?.message
    }
  }

  /// The message that a loop is busy with: done when the loop asks for another one, or is gone.
  private final class Handling {
    let client: MQTTAsyncClient
    var number: UInt64 = 0

    init(_ client: MQTTAsyncClient) {
      self.client = client
    }

    func end() {
      let number = number
      if number != 0 { client.submit { $0.handled(number) } }
      self.number = 0
    }

    deinit {
      end()
    }
  }

  private func next() async -> Delivered? {
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
