/// What happens to messages that nobody takes.
public enum MQTTOverflow: Sendable {
  /// Nothing more is read from the server until there is room, so that the server has to wait, with all
  /// messages of this client. Only while a call waits for an answer, which may be behind those messages, up
  /// to 4,096 more are taken.
  case wait
  /// The oldest message goes, counted.
  case dropOldest
  /// The new message goes, counted.
  case dropNewest
}

/// A message on its way to whoever takes it.
struct Delivered: Sendable {
  let message: MQTTReceivedMessage
  /// What the loop's thread is told when it is handled; 0: nothing.
  var number: UInt64
}

/// The messages of one stream between the loop's thread and whoever takes them.
final class MessageBuffer: Sendable {
  typealias Taker = CheckedContinuation<Delivered?, Never>

  private struct State: Sendable {
    var messages = Fifo<Delivered>()
    var takers = Fifo<(id: UInt64, taker: Taker)>()
    var lastID: UInt64 = 0
    var isFinished = false
    var failure: MQTTAsyncError?
    var isWaitedFor = false
    var dropped = 0
    var oversized = 0
  }

  private let state = Locked(State())
  let capacity: Int
  let overflow: MQTTOverflow
  /// What the stream was asked for, for words.
  let name: String

  /// How far a buffer whose overflow is `.wait` may grow while a call waits for an answer.
  static let stretch = 4096

  init(capacity: Int, overflow: MQTTOverflow, name: String) {
    self.capacity = max(1, capacity)
    self.overflow = overflow
    self.name = name
  }

  /// Whether the server hears of a message only when it is handled: where messages may be dropped, they are as
  /// good as handled when they come.
  var awaitsHandling: Bool { overflow == .wait }

  enum Outcome {
    /// Somebody takes it, or it was dropped.
    case taken
    /// Nobody will take it.
    case finished
    /// No room, and the overflow is to be waited for. `room` is called when there is some.
    case full
  }

  func push(_ message: Delivered, stretched: Bool) -> Outcome {
    let (outcome, taker) = state.withLock { state -> (Outcome, Taker?) in
      guard !state.isFinished else { return (.finished, nil) }
      if let taker = state.takers.popFirst() { return (.taken, taker.taker) }
      let isStretched = stretched && overflow == .wait
      if state.messages.count >= capacity + (isStretched ? Self.stretch : 0) {
        switch overflow {
        case .wait:
          state.isWaitedFor = true
          return (.full, nil)
        case .dropOldest:
          state.dropped += 1
          _ = state.messages.popFirst()
        case .dropNewest:
          state.dropped += 1
          return (.taken, nil)
        }
      }
      state.messages.append(message)
      return (.taken, nil)
    }
    taker?.resume(returning: message)
    return outcome
  }

  /// The next message; nil: the stream has ended, or the task is cancelled. `room` is called when the loop
  /// waits for that.
  func next(room: @Sendable () -> Void) async -> Delivered? {
    let id = state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { taker in take(id, taker, room: room) }
    } onCancel: {
      cancel(id)
    }
  }

  private func take(_ id: UInt64, _ taker: Taker, room: () -> Void) {
    enum Next {
      case message(Delivered, tellsRoom: Bool)
      case end, later
    }
    let next = state.withLock { state -> Next in
      // Inside the lock: a cancellation that comes later finds the taker.
      if Task.isCancelled { return .end }
      if let message = state.messages.popFirst() {
        let tellsRoom = state.isWaitedFor
        state.isWaitedFor = false
        return .message(message, tellsRoom: tellsRoom)
      }
      if state.isFinished { return .end }
      state.takers.append((id, taker))
      return .later
    }
    switch next {
    case .message(let message, let tellsRoom):
      taker.resume(returning: message)
      if tellsRoom { room() }
    case .end: taker.resume(returning: nil)
    case .later: break
    }
  }

  private func cancel(_ id: UInt64) {
    let taker = state.withLock { state -> Taker? in
      var found: Taker?
      state.takers.remove { entry in
        if entry.id == id { found = entry.taker }
        return entry.id == id
      }
      return found
    }
    taker?.resume(returning: nil)
  }

  /// No more messages; those that are there can still be taken.
  func finish(_ failure: MQTTAsyncError? = nil) {
    let takers = state.withLock { state -> Fifo<(id: UInt64, taker: Taker)> in
      if !state.isFinished { state.failure = failure }
      state.isFinished = true
      let takers = state.takers
      state.takers = Fifo()
      return takers
    }
    var rest = takers
    while let taker = rest.popFirst() { taker.taker.resume(returning: nil) }
  }

  /// Messages that wait here need not be handled any more, though they can be taken: answers their numbers.
  func release() -> [UInt64] {
    state.withLock { state in
      var numbers: [UInt64] = []
      state.messages.change { message in
        if message.number != 0 { numbers.append(message.number) }
        message.number = 0
      }
      return numbers
    }
  }

  func countOversized() { state.withLock { $0.oversized += 1 } }

  var failure: MQTTAsyncError? { state.withLock { $0.failure } }
  var dropped: Int { state.withLock { $0.dropped } }
  var oversized: Int { state.withLock { $0.oversized } }
  var isFinished: Bool { state.withLock { $0.isFinished } }
}
