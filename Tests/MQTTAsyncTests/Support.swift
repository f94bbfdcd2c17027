import MQTTAsync

/// Options with short waits, so that tests of reconnections do not.
func options(_ version: MQTTVersion = .v5) -> MQTTClientOptions {
  var options = MQTTAsyncClient.defaultOptions
  options.version = version
  options.backoffMinimum = 20
  options.backoffMaximum = 100
  return options
}

/// The same for a session that the server keeps.
func kept(_ id: String, _ version: MQTTVersion = .v5) -> MQTTClientOptions {
  var options = options(version)
  options.clientID = id
  options.cleanSession = false
  return options
}

func take(_ count: Int, from messages: MQTTMessages) async -> [String] {
  var texts: [String] = []
  guard count > 0 else { return texts }
  for await message in messages {
    texts.append(message.text ?? "?")
    if texts.count == count { break }
  }
  return texts
}

func error(_ body: () async throws(MQTTAsyncError) -> Void) async -> MQTTAsyncError? {
  do throws(MQTTAsyncError) {
    try await body()
    return nil
  } catch {
    return error
  }
}

/// Something that has happened, for tests that show that it has not yet.
final class Flag: Sendable {
  private let flag = Locked(false)

  func raise() { flag.withLock { $0 = true } }
  var isRaised: Bool { flag.withLock { $0 } }

  /// Returns when it has been raised; the suite's time limit ends what hangs.
  func wait() async throws {
    while !isRaised { try await Task.sleep(for: .milliseconds(5)) }
  }
}
