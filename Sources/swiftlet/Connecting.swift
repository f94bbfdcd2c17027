import ArgumentParser
import Foundation
import MQTTAsync

extension ConnectionOptions {
  /// A client that is not connected yet, and the topic of the URL if it has one. `longest`: bytes of the
  /// longest message.
  func makeClient(
    longest: Int, properties: PropertyArguments, outbox: MQTTOutbox? = nil
  ) throws -> MQTTAsyncClient {
    let urls = try parsedURLs()
    var options = MQTTAsyncClient.defaultOptions
    if let id { options.clientID = id }
    let user = urls.first { $0.username != nil }
    options.username = username ?? user?.username
    let secret = password ?? user?.password ?? ProcessInfo.processInfo.environment["SWIFTLET_PASSWORD"]
    if options.username != nil || password != nil { options.password = secret.map { Array($0.utf8) } }
    options.keepAlive = keepalive
    options.cleanSession = !keepsSession
    options.sessionExpiry = sessionExpiry
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
    return try MQTTAsyncClient(
      servers: urls.map { (url) throws(MQTTAsyncError) in try url.server(settings) }, options: options,
      authentication: auth == .scram ? .scramSHA256 : .password, failback: settings.failback,
      outbox: outbox)
  }

  /// The topic that a `--url` names.
  func urlTopic() throws -> String? {
    guard !url.isEmpty else { return nil }
    return try parsedURLs().first { !$0.scheme.isWebSocket && !$0.path.isEmpty }?.path
  }

  func parsedURLs() throws -> [MQTTURL] {
    guard url.isEmpty else {
      guard host == nil, port == nil, unix == nil else {
        throw ValidationError("--url says where the server is: leave out --host, --port and --unix")
      }
      return try url.map { text in
        var parsed = try MQTTURL(text)
        if parsed.scheme.isWebSocket, let path = transport.path { parsed.path = Self.withoutSlash(path) }
        return parsed
      }
    }
    if let unix {
      guard host == nil, port == nil else {
        throw ValidationError("--unix says where the server is: leave out --host and --port")
      }
      return [try MQTTURL("unix://" + unix)]
    }
    return [try hostURL()]
  }

  private func hostURL() throws -> MQTTURL {
    var parsed = try MQTTURL("mqtt://localhost")
    let isEncrypted = transport.isEncrypted || port == 8883
    parsed.scheme = transport.ws ? (isEncrypted ? .wss : .ws) : isEncrypted ? .mqtts : .mqtt
    parsed.host = host ?? "localhost"
    parsed.port = port ?? parsed.scheme.port
    if transport.ws, let path = transport.path { parsed.path = Self.withoutSlash(path) }
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

  private static func withoutSlash(_ path: String) -> String {
    path.hasPrefix("/") ? String(path.dropFirst()) : path
  }

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

/// What went wrong, with the names that the command line has for things.
func words(_ error: MQTTAsyncError) -> String {
  "\(error)".replacing("with caFile or caDirectory", with: "with --cafile or --capath")
    .replacing("key_password", with: "--key-password")
}

/// A line on standard error.
func note(_ text: String) {
  FileHandle.standardError.write(Data("swiftlet: \(text)\n".utf8))
}

/// Says what went wrong and ends with 1.
func failure(_ error: MQTTAsyncError) -> ExitCode { failure(words(error)) }

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
