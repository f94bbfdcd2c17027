import MQTTClient

/// Calls whose messages are in the outbox's file, and not yet for certain on the disk.
struct Unsaved {
  var calls: [UInt64] = []
  /// How often the store had failed before the first of them.
  var failures: UInt32 = 0
}

/// Calls that wait until the server has everything.
struct Flushing {
  var calls: [UInt64] = []
  /// What became of a message that nobody waited for.
  var failure: MQTTAsyncError?
}

extension Engine {
  /// QoS 0 is not kept, wherever.
  func durability(of message: Outgoing) -> MQTTDurability {
    guard message.qos > .atMostOnce, store != nil else { return .memory }
    return message.durability ?? client.durability(of: message.topic.span)
  }

  func noteStoreFailures() {
    if unsaved.calls.isEmpty { unsaved.failures = client.counters.storeFailures }
  }

  /// One sync for all messages of a turn.
  func save() {
    guard !unsaved.calls.isEmpty else { return }
    var result = Result<Void, MQTTAsyncError>.success(())
    do throws(MQTTStoreError) {
      _ = try client.commit()
      // A store that failed in between has forgotten what was not committed.
      if client.counters.storeFailures != unsaved.failures {
        result = .failure(.outbox(MQTTStoreError.failed.words))
      }
    } catch {
      result = .failure(.outbox(error.words))
    }
    let calls = unsaved.calls
    unsaved.calls.removeAll(keepingCapacity: true)
    for call in calls { settle(call, result) }
  }

  func beginFlush(_ call: UInt64, _ waiter: @escaping Waiter) {
    waiters[call] = waiter
    flushing.calls.append(call)
  }

  func flush() {
    guard !flushing.calls.isEmpty, let result = flushResult else { return }
    flushing.failure = nil
    let calls = flushing.calls
    flushing.calls.removeAll()
    for call in calls { settle(call, result) }
  }

  /// Nil: it takes more time.
  private var flushResult: Result<Void, MQTTAsyncError>? {
    if let failure = flushing.failure { return .failure(failure) }
    if unsent.isEmpty, !client.hasUnsettled { return .success(()) }
    switch states.current {
    case .idle: return .failure(.notConnected)
    case .disconnected(let error): return .failure(error)
    case .connecting, .connected, .closed: return nil
    }
  }

  /// Gives the file to whoever opens it next.
  func closeOutbox() {
    do throws(MQTTStoreError) {
      try store?.close()
    } catch {
      // All that is missing is what the server has: it gets it once more, as after a crash.
    }
  }
}

extension MQTTStoreError {
  var words: String {
    switch self {
    case .full, .diskFull: "does not keep the message, which may arrive all the same: the disk is full"
    case .failed: "does not keep the message, which may arrive all the same: the disk fails"
    }
  }
}
