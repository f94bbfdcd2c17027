import ArgumentParser
import Dispatch
import Foundation
import MQTTAsync

/// Runs what prints messages until it ends by itself, or Ctrl-C does. `body` answers false when its time was over:
/// that ends with 27, as mosquitto's tools do.
func untilInterrupted(_ body: @escaping @Sendable () async throws -> Bool) async throws {
  // Whoever reads the other end of a pipe may leave first.
  signal(SIGPIPE, SIG_IGN)
  do {
    let work = Task { try await body() }
    let sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number)
      source.setEventHandler { work.cancel() }
      source.resume()
      return source
    }
    defer { for source in sources { source.cancel() } }
    if try await work.value { return }
    throw ExitCode(27)
  } catch let error as MQTTAsyncError where error == .cancelled {
    return
  } catch let error as MQTTAsyncError {
    throw failure(error)
  }
}

/// What `body` answers; false when the seconds are over first.
func within(_ seconds: Double?, _ body: @escaping @Sendable () async throws -> Bool) async throws -> Bool {
  try await withThrowingTaskGroup(of: Bool.self) { group in
    if let seconds {
      group.addTask {
        // Interrupted: the others end by themselves.
        do { try await Task.sleep(for: .seconds(seconds)) } catch { return true }
        return false
      }
    }
    group.addTask { try await body() }
    let first = try await group.next() ?? true
    group.cancelAll()
    return first
  }
}

func checkTimeout(_ timeout: Double?) throws {
  if let timeout, !(timeout > 0 && timeout <= 1e9) {
    throw ValidationError("--timeout is more than 0, and at most 1000000000")
  }
}

func checkFilters(_ filters: [String]) throws {
  for filter in filters {
    let bytes = Array(filter.utf8)
    do { try TopicFilter.check(bytes.span) } catch {
      throw ValidationError(
        "'\(filter)' is no topic filter: '#' stands alone at the end, '+' between slashes")
    }
  }
}
