import ArgumentParser
import Foundation
import MQTTAsync

/// What `pub` and `sub` share: which server, as whom, and how.
struct ConnectionOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "The server's name or address (default: localhost).")
  var host: String?
  @Option(name: .shortAndLong, help: "Its port (default: 1883, with TLS 8883, ws 80, wss 443).")
  var port: UInt16?
  @Option(
    name: [.customShort("L"), .long],
    help: "All in one: mqtt(s)://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC, or ws(s)://… with --path.")
  var url: String?
  @Option(name: .shortAndLong, help: "User name.") var username: String?
  @Option(
    name: [.customShort("P"), .customLong("pw"), .customLong("password")],
    help: "Password; better in the environment as SWIFTLET_PASSWORD, where others do not see it.")
  var password: String?
  @Option(name: [.customShort("i"), .customLong("id")], help: "Client identifier (default: random).")
  var id: String?
  @Option(name: .shortAndLong, help: "Seconds between signs of life.") var keepalive: UInt16 = 60
  @Option(
    name: [.customShort("V"), .customLong("protocol-version")],
    help: "5, 3.1.1, or auto: 5, and 3.1.1 where the server has no 5.")
  var version = Version.auto
  @Flag(
    name: [.customShort("c"), .customLong("disable-clean-session")],
    help: "Have the server keep the session; needs --id.")
  var keepsSession = false
  @Option(
    name: [.customShort("x"), .customLong("session-expiry-interval")],
    help: "Seconds that the server keeps the session.")
  var sessionExpiry: UInt32?
  @Option(
    name: [.customShort("D"), .customLong("property")], parsing: .upToNextOption,
    help: ArgumentHelp(
      "A property of 5.0, also several times.", valueName: "PACKET NAME VALUE [VALUE]"))
  var properties: [String] = []
  @Flag(name: .shortAndLong, help: "Tell what becomes of the connection.") var debug = false

  @OptionGroup(title: "TLS AND WEBSOCKET") var transport: TransportOptions
  @OptionGroup(title: "WILL") var will: WillOptions

  func check() throws {
    try transport.check()
    try will.check()
    _ = try PropertyArguments(properties)
    do {
      _ = try url.map { (url) throws(MQTTAsyncError) in try MQTTURL(url) }
    } catch {
      throw ValidationError("\(error)")
    }
    guard !keepsSession || id != nil else {
      throw ValidationError("--disable-clean-session needs --id: the server knows a session by it")
    }
  }

  enum Version: String, ExpressibleByArgument, CaseIterable {
    case auto
    case v5 = "5"
    case v5Long = "mqttv5"
    case v3 = "3.1.1"
    case v3Short = "311"
    case v3Long = "mqttv311"

    var isV5: Bool { self == .auto || self == .v5 || self == .v5Long }
  }
}

struct TransportOptions: ParsableArguments {
  @Flag(help: "TLS, verified with the system's authorities.") var tls = false
  @Option(help: "Authorities that may vouch for the server: a PEM file.") var cafile: String?
  @Option(help: "The same as a directory of hashed files.") var capath: String?
  @Option(help: "Our certificate, a PEM file.") var cert: String?
  @Option(help: "Its key, a PEM file.") var key: String?
  @Flag(help: "Do not verify who the server is. Anybody can read and change what is sent.")
  var insecure = false
  @Option(help: "Protocol to name in the TLS handshake (default: mqtt).") var tlsAlpn: String?
  @Flag(help: "WebSocket.") var ws = false
  @Option(help: "Path of the WebSocket.") var path: String?

  var isEncrypted: Bool { tls || cafile != nil || capath != nil || cert != nil || insecure }

  var settings: TLSSettings {
    var settings = TLSSettings()
    settings.caFile = cafile
    settings.caDirectory = capath
    settings.certificate = cert
    settings.key = key
    settings.isInsecure = insecure
    if let tlsAlpn { settings.alpn = tlsAlpn }
    return settings
  }

  func check() throws {
    guard (cert == nil) == (key == nil) else {
      throw ValidationError("--cert and --key go together: a certificate is of no use without its key")
    }
    for file in [cafile, capath, cert, key].compactMap({ $0 }) {
      guard FileManager.default.isReadableFile(atPath: file) else {
        throw ValidationError("cannot read \(file)")
      }
    }
  }
}

struct WillOptions: ParsableArguments {
  @Option(help: "Topic of what the server publishes when we are lost.") var willTopic: String?
  @Option(help: "Its payload.") var willPayload: String?
  @Option(help: "Its QoS.") var willQos: Int = 0
  @Flag(help: "Have it retained.") var willRetain = false

  func check() throws {
    guard willTopic != nil || (willPayload == nil && willQos == 0 && !willRetain) else {
      throw ValidationError("a will needs --will-topic")
    }
    _ = try quality(willQos)
  }
}

/// 0, 1 or 2 as the client has it.
func quality(_ number: Int) throws -> MQTTQoS {
  guard let byte = UInt8(exactly: number), let qos = MQTTQoS(rawValue: byte) else {
    throw ValidationError("QoS \(number) is none; write 0, 1 or 2")
  }
  return qos
}
