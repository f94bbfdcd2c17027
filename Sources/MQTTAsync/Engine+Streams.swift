import MQTTClient

/// A filter that the server knows or is to know, and who takes its messages.
struct FilterEntry {
  let filter: String
  /// Without what makes it shared.
  let matched: [UInt8]
  let subscription: MQTTSubscription
  let options: MQTTSubscribeOptions
  let identifier: UInt32
  let userProperties: [UInt8]
  var streams: [UInt64]
}

/// One stream of messages.
struct Stream {
  let buffer: MessageBuffer
  /// It takes what no filter of another stream is for.
  let isForRest: Bool
  let isKept: Bool
  /// Filters on which the server has not said its word.
  var undecided: Set<Int> = []
  /// Calls that wait for that.
  var waiters: [UInt64] = []
  var failure: MQTTAsyncError?
}

/// What to subscribe to, and how.
struct Wish: Sendable {
  var filters: [String]
  var options: MQTTSubscribeOptions
  var userProperties: [UInt8]
  /// The server is not told when the stream ends.
  var isKept = false
}

extension Engine {
  func open(_ id: UInt64, _ buffer: MessageBuffer, _ wish: Wish) {
    streams[id] = Stream(buffer: buffer, isForRest: wish.filters.isEmpty, isKept: wish.isKept)
    // What another stream has is asked for anew, with the identifier that its messages carry.
    var new: [String] = []
    for filter in wish.filters {
      if let known = known(filter) {
        subscribe(id, [filter], wish, identifier: known.identifier)
      } else {
        new.append(filter)
      }
    }
    lastIdentifier += 1
    subscribe(id, new, wish, identifier: lastIdentifier)
  }

  private func known(_ filter: String) -> FilterEntry? {
    filters.values.first { $0.filter == filter && !$0.streams.isEmpty }
  }

  /// Together, in one `SUBSCRIBE`. Identifier 0: without one.
  private func subscribe(_ id: UInt64, _ names: [String], _ wish: Wish, identifier: UInt32) {
    guard streams[id]?.failure == nil else { return }
    do throws(MQTTSubscribeError) {
      let subscriptions = try client.subscribe(
        names.map { MQTTFilter($0, options: wish.options) },
        subscriptionID: identifier == 0 ? nil : identifier, userProperties: wish.userProperties.span)
      for (filter, subscription) in zip(names, subscriptions) {
        var entry = FilterEntry(
          filter: filter, matched: Self.withoutShare(Array(filter.utf8)), subscription: subscription,
          options: wish.options, identifier: identifier, userProperties: wish.userProperties,
          streams: known(filter)?.streams ?? [])
        if !entry.streams.contains(id) { entry.streams.append(id) }
        filters[subscription.index] = entry
        streams[id]?.undecided.insert(subscription.index)
      }
    } catch {
      if names.count == 1 { return fail(id, .invalidFilter(names[0], error)) }
      // One after the other, to find out which it is.
      for name in names { subscribe(id, [name], wish, identifier: identifier) }
    }
  }

  /// `$share/NAME/FILTER` matches what the filter matches.
  private static func withoutShare(_ filter: [UInt8]) -> [UInt8] {
    guard filter.starts(with: "$share/".utf8),
      let slash = filter.dropFirst(7).firstIndex(of: UInt8(ascii: "/"))
    else { return filter }
    return Array(filter[(slash + 1)...])
  }

  func wait(_ id: UInt64, _ call: UInt64, _ waiter: @escaping Waiter) {
    waiters[call] = waiter
    guard let stream = streams[id] else { return settle(call, .failure(.closed)) }
    if let failure = stream.failure { return settle(call, .failure(failure)) }
    if stream.undecided.isEmpty { return settle(call, .success(())) }
    streams[id]?.waiters.append(call)
  }

  func close(_ id: UInt64) {
    guard let stream = streams.removeValue(forKey: id) else { return }
    for call in stream.waiters { settle(call, .failure(.closed)) }
    if !stream.isKept { leave(id) }
    release(stream)
    if let message = held?.message, held?.targets.contains(id) == true {
      held?.targets.removeAll { $0 == id }
      settle(message.number, of: stream)
    }
  }

  /// What waits in an ended stream need not be handled any more.
  private func release(_ stream: Stream) {
    for number in stream.buffer.release() { settle(number, of: stream) }
  }

  private func settle(_ number: UInt64, of stream: Stream) {
    stream.isKept ? deliveries.remove(number) : deliveries.handled(number)
  }

  private func leave(_ id: UInt64) {
    var left: [MQTTSubscription] = []
    for (index, entry) in filters where entry.streams.contains(id) {
      filters[index]?.streams.removeAll { $0 == id }
      if filters[index]?.streams.isEmpty == true { left.append(entry.subscription) }
    }
    client.unsubscribe(left)
  }

  // MARK: The server's word

  func granted(_ subscription: MQTTSubscription, _ qos: MQTTQoS) {
    for id in filters[subscription.index]?.streams ?? [] {
      streams[id]?.undecided.remove(subscription.index)
      guard streams[id]?.undecided.isEmpty == true else { continue }
      let calls = streams[id]?.waiters ?? []
      streams[id]?.waiters.removeAll()
      for call in calls { settle(call, .success(())) }
    }
  }

  func refused(_ subscription: MQTTSubscription, _ code: MQTTReasonCode) {
    guard let entry = filters[subscription.index] else { return }
    // This server does without; then overlapping filters may multiply messages.
    if code == .subscriptionIdentifiersNotSupported, entry.identifier != 0, let id = entry.streams.first {
      let wish = Wish(filters: [], options: entry.options, userProperties: entry.userProperties)
      return subscribe(id, [entry.filter], wish, identifier: 0)
    }
    let error = MQTTAsyncError.subscriptionRefused(entry.filter, code, words)
    for id in entry.streams { fail(id, error) }
  }

  private func fail(_ id: UInt64, _ error: MQTTAsyncError) {
    guard let stream = streams[id] else { return }
    streams[id]?.failure = error
    streams[id]?.waiters.removeAll()
    stream.buffer.finish(error)
    leave(id)
    release(stream)
    for call in stream.waiters { settle(call, .failure(error)) }
  }

  func unsubscribed(_ subscription: MQTTSubscription) {
    guard filters[subscription.index]?.streams.isEmpty == true else { return }
    filters[subscription.index] = nil
  }
}
