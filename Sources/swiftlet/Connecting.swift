import ArgumentParser
import Foundation
import MQTTAsync

extension ConnectionOptions {
  /// A client that is not connected yet, and the topic of the URL if it has one. `longest`: bytes of the
  /// longest message.
  func makeClient(
    longest: Int, properties: PropertyArguments, outbox: MQTTOutbox? = nil, maxInFlight: UInt16? = nil
  ) throws -> MQTTAsyncClient {
    if quiet { silenceStandardError() }
    let urls = try parsedURLs()
    var options = MQTTAsyncClient.defaultOptions
    if let id = id ?? idPrefix.map({ $0 + "\(getpid())" }) { options.clientID = id }
    if let maxInFlight { options.maxInFlight = Int(maxInFlight) }
    let user = urls.first { $0.username != nil }
    options.username = username ?? user?.username
    let secret = password ?? user?.password ?? ProcessInfo.processInfo.environment["SWIFTLET_PASSWORD"]
    if options.username != nil || password != nil { options.password = secret.map { Array($0.utf8) } }
    options.keepAlive = keepalive
    options.cleanSession = !keepsSession
    options.sessionExpiry = sessionExpiry?.seconds
    options.version = version.isV5 ? .v5 : .v3_1_1
    options.fallsBack = version == .auto
    options.will = try makeWill(properties)
    try properties.apply(to: &options)
    let room = longest + 70_000
    options.receiveCapacity = max(options.receiveCapacity, room)
    options.sendCapacity = max(options.sendCapacity, room)
    options.outboxCapacity = max(options.outboxCapacity, room)
    if transport.insecure { note("warning: --insecure: nobody knows who the server is") }
    var settings = try transport.settings()
    settings.failback = .seconds(failback)
    for warning in settings.tls.warnings { note("warning: \(renamed(warning))") }
    return try MQTTAsyncClient(
      servers: urls.map { (url) throws(MQTTAsyncError) in try url.server(settings) }, options: options,
      authentication: auth == .scram ? .scramSHA256 : .password, failback: settings.failback,
      outbox: outbox)
  }

  /// The topic that `--topic` or a `--url` names.
  func topic(_ topic: String?) throws -> String? {
    let other = try urlTopic()
    guard topic == nil || other == nil else {
      throw ValidationError("--url ends with a topic, and --topic is another: leave one of them out")
    }
    return topic ?? other
  }

  /// The topic that a `--url` names.
  func urlTopic() throws -> String? {
    guard !url.isEmpty else { return nil }
    return try parsedURLs().compactMap(\.topic).first
  }

  func parsedURLs() throws -> [MQTTURL] {
    guard url.isEmpty else {
      guard host == nil, port == nil, unix == nil else {
        throw ValidationError("--url says where the server is: leave out --host, --port and --unix")
      }
      return try url.map { text in
        var parsed = try MQTTURL.read(text, .serverAndTopic)
        if parsed.scheme.isWebSocket, let path = transport.path { parsed.path = Self.withSlash(path) }
        return parsed
      }
    }
    if let unix {
      guard host == nil, port == nil else {
        throw ValidationError("--unix says where the server is: leave out --host and --port")
      }
      return [try MQTTURL.read("unix://" + unix)]
    }
    return [try hostURL()]
  }

  private func hostURL() throws -> MQTTURL {
    var parsed = try hostAlone(host ?? "localhost")
    let isEncrypted = transport.isEncrypted || port == 8883
    parsed.scheme = transport.ws ? (isEncrypted ? .wss : .ws) : isEncrypted ? .mqtts : .mqtt
    guard port != 0 else { throw ValidationError("--port is from 1 to 65535") }
    parsed.port = port ?? parsed.scheme.defaultPort
    if transport.ws, let path = transport.path { parsed.path = Self.withSlash(path) }
    return parsed
  }

  /// A name or an address and nothing else.
  private func hostAlone(_ host: String) throws -> MQTTURL {
    guard !host.contains("://") else {
      throw ValidationError("--host is a name or an address alone; a URL is given with --url (-L)")
    }
    let parts = host.split(separator: ":", omittingEmptySubsequences: false)
    if parts.count == 2 {
      throw ValidationError(
        "--host is a name or an address alone; write --host \(parts[0]) --port \(parts[1].isEmpty ? "1883" : parts[1])"
      )
    }
    let isBare = parts.count > 2 && !host.hasPrefix("[")
    let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    let parsed: MQTTURL
    do {
      parsed = try MQTTURL("mqtt://" + (isBare ? "[\(host)]" : host))
    } catch {
      let isLinkLocal = error.message.contains("interface")
      throw ValidationError(
        isLinkLocal ? error.message : "--host '\(host)' is no name and no address")
    }
    guard parsed.host == bare else { throw ValidationError("--host '\(host)' is no name and no address") }
    return parsed
  }

  private func makeWill(_ properties: PropertyArguments) throws -> MQTTWill? {
    guard let topic = will.willTopic else { return nil }
    var made = MQTTWill(
      topic: topic, payload: Array((will.willPayload ?? "").utf8), qos: try quality(will.willQos),
      retain: will.willRetain)
    made.properties = properties.list(.will)
    made.delay = properties.willDelay ?? 0
    return made
  }

  private static func withSlash(_ path: String) -> String { path.hasPrefix("/") ? path : "/" + path }

  /// With `--debug`, tells of the connection until the client is closed.
  func report(_ client: MQTTAsyncClient) {
    guard debug else { return }
    let states = client.states
    Task {
      for await state in states {
        switch state {
        case .idle: break
        case .connecting: note("connecting")
        case .connected(let version, let sessionPresent):
          note("connected, MQTT \(version == .v5 ? "5.0" : "3.1.1")\(sessionPresent ? ", session kept" : "")")
        case .disconnected(let error): note("disconnected: \(words(error))")
        case .closed: note("closed")
        }
      }
    }
  }
}

extension MQTTAsyncError {
  /// No server and no network is needed to know it.
  fileprivate var isWrongUsage: Bool {
    switch self {
    case .invalidURL, .invalidOptions, .invalidTransport, .invalidFilter, .invalidProperties,
      .publish(.invalidTopic), .publish(.invalidProperties):
      true
    default: false
    }
  }
}

/// What went wrong, with the names that the command line has for things.
func words(_ error: MQTTAsyncError) -> String {
  renamed("\(error)")
}

private func renamed(_ words: String) -> String {
  words.replacing("with caFile or caDirectory", with: "with --cafile or --capath")
    .replacing("key_password", with: "--key-password")
}

/// A line on standard error.
func note(_ text: String) {
  FileHandle.standardError.write(Data("swiftlet: \(text)\n".utf8))
}

/// What goes to standard error goes nowhere from now on.
private func silenceStandardError() {
  let nowhere = open("/dev/null", O_WRONLY)
  guard nowhere >= 0 else { return }
  dup2(nowhere, 2)
  close(nowhere)
}

/// Says what went wrong and ends with 1, or with 64 when it was asked for wrongly.
func failure(_ error: MQTTAsyncError) -> ExitCode {
  note("error: \(words(error))")
  return ExitCode(error.isWrongUsage ? EX_USAGE : 1)
}

func failure(_ text: String) -> ExitCode {
  note("error: \(text)")
  return ExitCode(1)
}

/// After a `read` or a `write` that failed: whether it is to be repeated. A file that others have made
/// non-blocking is waited for.
func mayRepeat(_ file: Int32, _ events: Int32) -> Bool {
  guard errno == EAGAIN else { return errno == EINTR }
  var wanted = pollfd(fd: file, events: Int16(events), revents: 0)
  poll(&wanted, 1, -1)
  return true
}
