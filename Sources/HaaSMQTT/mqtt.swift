import MQTTAsync

/// The `mqtt` module of HaaS AMP, as its manual has it: `mqtt.createClient`, and a client with `on`,
/// `subscribe`, `unsubscribe`, `publish` and `close`.
public enum mqtt {
  /// What `createClient` takes. Only `host` is required.
  public struct Options: Sendable {
    /// A name or an address; a URL such as `mqtts://broker.local` as well.
    public var host: String
    public var port: UInt16?
    /// Nil: random.
    public var clientId: String?
    public var username: String?
    public var password: String?
    /// Seconds.
    public var keepalive_interval: UInt16 = 60
    /// Connected for the first time.
    public var success: (@Sendable () -> Void)?
    /// The first attempt failed; others follow.
    public var fail: (@Sendable (_ reason: String) -> Void)?

    // Beyond the manual
    public var cleanSession = true
    /// Milliseconds for one attempt.
    public var connectTimeout: UInt64 = 10_000
    /// Milliseconds between attempts; they grow with jitter up to a minute when they keep failing.
    public var reconnectPeriod: UInt64 = 1_000
    /// 4: MQTT 3.1.1. 5: MQTT 5.0, and 3.1.1 where the server has no 5.0.
    public var protocolVersion = 5
    public var will: MQTTWill?
    /// Encrypted with these settings; without a port, on port 8883.
    public var tls: TLSSettings?

    public init(host: String, port: UInt16? = nil) {
      self.host = host
      self.port = port
    }
  }

  /// A client that connects at once. Nil: the options are none, as the manual's empty answer; `fail` is told
  /// why.
  public static func createClient(_ options: Options) -> MQTTClient? {
    do throws(MQTTAsyncError) {
      return try MQTTClient(options)
    } catch {
      options.fail?("\(error)")
      return nil
    }
  }
}

extension mqtt.Options {
  func makeClient() throws(MQTTAsyncError) -> MQTTAsyncClient {
    try MQTTAsyncClient(servers: [server()], options: session())
  }

  private func url() throws(MQTTAsyncError) -> MQTTURL {
    var url = try MQTTURL.read(host.contains("://") ? host : "mqtt://" + authority)
    if tls != nil, url.scheme == .mqtt {
      url.scheme = .mqtts
      url.port = MQTTURL.Scheme.mqtts.defaultPort
    }
    if let port { url.port = port }
    return url
  }

  /// Where the client connects to.
  package func server() throws(MQTTAsyncError) -> MQTTServer {
    var transport = MQTTTransport()
    transport.tls = tls ?? TLSSettings()
    return try url().server(transport)
  }

  private func session() throws(MQTTAsyncError) -> MQTTClientOptions {
    let url = try url()
    var options = MQTTAsyncClient.defaultOptions
    if let clientId { options.clientID = clientId }
    options.username = username ?? url.username
    options.password = (password ?? url.password).map { Array($0.utf8) }
    options.keepAlive = keepalive_interval
    options.cleanSession = cleanSession
    options.connectTimeout = connectTimeout
    options.backoffMinimum = max(1, reconnectPeriod)
    options.backoffMaximum = max(60_000, reconnectPeriod)
    options.version = protocolVersion == 5 ? .v5 : .v3_1_1
    options.will = will
    return options
  }

  /// An IPv6 address needs brackets in a URL.
  private var authority: String {
    host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
  }
}
