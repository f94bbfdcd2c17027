import ArgumentParser
import Foundation
import MQTTAsync

extension ConnectionOptions {
  /// A client that is not connected yet, and the topic of the URL if it has one. `longest`: bytes of the
  /// longest message.
  func makeClient(longest: Int, properties: PropertyArguments) throws -> MQTTAsyncClient {
    var url = try parsedURL()
    if url.scheme.isWebSocket { url.path = transport.path.map(Self.withoutSlash) ?? url.path }
    var options = MQTTAsyncClient.defaultOptions
    if let id { options.clientID = id }
    options.username = username ?? url.username
    let secret = password ?? url.password ?? ProcessInfo.processInfo.environment["SWIFTLET_PASSWORD"]
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
    return try MQTTAsyncClient(servers: [url.server(tls: transport.settings)], options: options)
  }

  /// The topic that `--url` names.
  func urlTopic() throws -> String? {
    guard url != nil else { return nil }
    let parsed = try parsedURL()
    return parsed.scheme.isWebSocket || parsed.path.isEmpty ? nil : parsed.path
  }

  private func parsedURL() throws -> MQTTURL {
    if let url {
      guard host == nil, port == nil else {
        throw ValidationError("--url says host and port: leave out --host and --port")
      }
      return try MQTTURL(url)
    }
    var parsed = try MQTTURL("mqtt://localhost")
    let isEncrypted = transport.isEncrypted || port == 8883
    parsed.scheme = transport.ws ? (isEncrypted ? .wss : .ws) : isEncrypted ? .mqtts : .mqtt
    parsed.host = host ?? "localhost"
    parsed.port = port ?? parsed.scheme.port
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
        case .disconnected(let error): note("disconnected: \(error)")
        case .closed: note("closed")
        }
      }
    }
  }
}

/// A line on standard error.
func note(_ text: String) {
  FileHandle.standardError.write(Data("swiftlet: \(text)\n".utf8))
}

/// Says what went wrong and ends with 1.
func failure(_ error: MQTTAsyncError) -> ExitCode {
  note("error: \(error)")
  return ExitCode(1)
}
