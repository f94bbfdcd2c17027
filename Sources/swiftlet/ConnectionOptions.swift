import ArgumentParser
import Foundation
import MQTTAsync

/// What `pub` and `sub` share: which server, as whom, and how.
struct ConnectionOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "The server's name or address (default: localhost).")
  var host: String?
  @Option(name: .shortAndLong, help: "Its port (default: 1883, with TLS 8883, ws 80, wss 443).")
  var port: UInt16?
  @Option(help: "A local socket's path, in the place of host and port.") var unix: String?
  @Option(
    name: [.customShort("L"), .long],
    help: ArgumentHelp(
      "All in one: mqtt(s)://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC], ws(s)://HOST[:PORT]/PATH or unix:///PATH. "
        + "Several times: servers that are tried in order."))
  var url: [String] = []
  @Option(help: "Seconds until the first of several servers is tried again while a later one serves.")
  var failback = 60
  @Option(name: .shortAndLong, parsing: .unconditional, help: "User name.") var username: String?
  @Option(
    name: [.customShort("P"), .customLong("pw"), .customLong("password")], parsing: .unconditional,
    help: "Password; better in the environment as SWIFTLET_PASSWORD, where others do not see it.")
  var password: String?
  @Option(help: "How the password is shown: password (sent as it is), or scram-sha-256 (not sent).")
  var auth = Authentication.password
  @Option(name: [.customShort("i"), .customLong("id")], help: "Client identifier (default: random).")
  var id: String?
  @Option(
    name: [.customShort("I"), .customLong("id-prefix")],
    help: "The client identifier is this, followed by the number of the process.")
  var idPrefix: String?
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
    name: [.customShort("x"), .customLong("session-expiry-interval")], parsing: .unconditional,
    help: "Seconds that the server keeps the session; -1 or ∞: for ever.")
  var sessionExpiry: SessionExpiry?
  @Option(
    name: [.customShort("D"), .customLong("property")], parsing: .upToNextOption,
    help: ArgumentHelp(
      "A property of 5.0, also several times.", valueName: "PACKET NAME VALUE [VALUE]"))
  var properties: [String] = []
  @Flag(name: .shortAndLong, help: "Tell what becomes of the connection.") var debug = false
  @Flag(help: "Nothing on standard error but wrong usage.") var quiet = false
  @Flag(help: "Accepted for scripts: what is sent never waits for more.") var nodelay = false
  @Option(
    name: [.customShort("o"), .customLong("options")],
    help: ArgumentHelp(
      "More options, one a line with its value behind it, such as '-h broker.local'; '#' begins a remark.",
      valueName: "file"))
  var options: String?

  @OptionGroup(title: "TLS AND WEBSOCKET") var transport: TransportOptions
  @OptionGroup(title: "WILL") var will: WillOptions

  /// `forgets`: filters are unsubscribed.
  func check(forgets: Bool = false) throws {
    guard options == nil else { throw ValidationError("-o stands by itself: write -o FILE") }
    try transport.check()
    try will.check()
    let users = try PropertyArguments(properties).unsubscribeUsers
    guard forgets || users.isEmpty else {
      throw ValidationError("-D unsubscribe has no effect without --unsubscribe of sub: leave it out")
    }
    do {
      let settings = try transport.settings()
      let urls = try parsedURLs()
      for url in urls { _ = try url.server(settings) }
      try checkEffects(urls)
    } catch let error as MQTTAsyncError {
      throw ValidationError("\(words(error))")
    }
    guard failback > 0 else { throw ValidationError("--failback is at least 1") }
    guard auth == .password || version.isV5 else {
      throw ValidationError("--auth scram-sha-256 needs -V 5")
    }
    guard id == nil || idPrefix == nil else {
      throw ValidationError("one of --id and --id-prefix is enough")
    }
    guard !keepsSession || id != nil || idPrefix != nil else {
      throw ValidationError("--disable-clean-session needs --id: the server knows a session by it")
    }
  }

  /// Seconds, or for ever.
  struct SessionExpiry: ExpressibleByArgument {
    let seconds: UInt32

    init?(argument: String) {
      guard let seconds = argument == "-1" || argument == "∞" ? UInt32.max : UInt32(argument) else {
        return nil
      }
      self.seconds = seconds
    }
  }

  /// What the command line says has to be of use with one of the servers.
  private func checkEffects(_ urls: [MQTTURL]) throws {
    guard !transport.isEncrypted || urls.contains(where: \.scheme.isSecure) else {
      throw ValidationError("none of these servers has TLS: write mqtts:// or wss://")
    }
    let isForWebSockets = transport.path != nil || !transport.header.isEmpty
    guard !isForWebSockets || urls.contains(where: \.scheme.isWebSocket) else {
      throw ValidationError("--path and --header are for WebSockets: add --ws, or write ws:// or wss://")
    }
    guard transport.proxy == nil || urls.contains(where: { $0.scheme != .unix }) else {
      throw ValidationError("--proxy has no effect with a local socket: leave it out")
    }
  }

  enum Authentication: String, ExpressibleByArgument, CaseIterable {
    case password
    case scram = "scram-sha-256"
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
  @Flag(
    name: [.customLong("tls"), .customLong("tls-use-os-certs")],
    help: "TLS, verified with the system's authorities.")
  var tls = false
  @Option(help: "Authorities that may vouch for the server: a PEM file.") var cafile: String?
  @Option(help: "The same as a directory of hashed files.") var capath: String?
  @Option(help: "Our certificate, a PEM file.") var cert: String?
  @Option(help: "Its key, a PEM file.") var key: String?
  @Option(help: "The key's password. Without it an encrypted key is an error: nobody is asked.")
  var keyPassword: String?
  @Flag(help: "Do not verify who the server is. Anybody can read and change what is sent.")
  var insecure = false
  @Option(
    help: ArgumentHelp(
      "SHA-256 of the server's public key, 64 hexadecimal digits: the server has to have this key. "
        + "Without --cafile and --capath that is enough.", valueName: "sha256"))
  var pin: String?
  @Option(
    name: [.customLong("alpn"), .customLong("tls-alpn")],
    help: "Protocol to name in the TLS handshake (default: mqtt).")
  var alpn: String?
  @Flag(help: "WebSocket.") var ws = false
  @Option(help: "Path of the WebSocket.") var path: String?
  @Option(
    help: ArgumentHelp(
      "Another line of the WebSocket's request, also several times.", valueName: "NAME: VALUE"))
  var header: [String] = []
  @Option(help: "socks5://[USER[:PASSWORD]@]HOST[:PORT], or http://…") var proxy: String?

  var isEncrypted: Bool { tls || cafile != nil || capath != nil || cert != nil || insecure || pin != nil }

  func settings() throws -> MQTTTransport {
    var settings = MQTTTransport()
    settings.tls.caFile = cafile
    settings.tls.caDirectory = capath
    settings.tls.certificate = cert
    settings.tls.key = key
    settings.tls.keyPassword = keyPassword
    settings.tls.isInsecure = insecure
    settings.tls.pin = try pin.map(Self.digest)
    if let alpn { settings.tls.alpn = alpn }
    settings.headers = header
    settings.proxy = proxy
    return settings
  }

  /// 64 hexadecimal digits, with colons between them or not.
  private static func digest(_ text: String) throws -> [UInt8] {
    let digits = text.filter { $0 != ":" }.compactMap { $0.hexDigitValue }
    guard digits.count == 64, text.allSatisfy({ $0 == ":" || $0.isHexDigit }) else {
      throw ValidationError(
        "--pin is the SHA-256 of the server's public key, 64 hexadecimal digits: openssl x509 -in server.crt "
          + "-pubkey -noout | openssl pkey -pubin -outform der | sha256sum")
    }
    return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  func check() throws {
    guard (cert == nil) == (key == nil) else {
      throw ValidationError("--cert and --key go together: a certificate is of no use without its key")
    }
    guard keyPassword == nil || key != nil else {
      throw ValidationError("--key-password has no effect without --key: leave it out")
    }
    guard !insecure || (cafile == nil && capath == nil) else {
      throw ValidationError("--insecure and --cafile contradict each other: leave --insecure out")
    }
    for file in [cafile, cert, key].compactMap({ $0 }) { try Self.read(file) }
    if let capath, !FileManager.default.isReadableFile(atPath: capath) {
      throw ValidationError("cannot read \(capath): \(String(cString: strerror(errno)))")
    }
  }
}

extension TransportOptions {
  /// Not what is in it, but whether it can be had, and why not.
  private static func read(_ path: String) throws {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    defer { if file >= 0 { close(file) } }
    var status = stat()
    // What comes out of a pipe comes once.
    if file >= 0, fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFIFO { return }
    var byte: UInt8 = 0
    let count = file < 0 ? -1 : Foundation.read(file, &byte, 1)
    guard count != 0 else { throw ValidationError("\(path) is empty") }
    guard count == 1 else {
      throw ValidationError("cannot read \(path): \(String(cString: strerror(errno)))")
    }
  }
}

struct WillOptions: ParsableArguments {
  @Option(help: "Topic of what the server publishes when we are lost.") var willTopic: String?
  @Option(parsing: .unconditional, help: "Its payload.") var willPayload: String?
  @Option(help: "Its QoS.") var willQos: Int = 0
  @Flag(help: "Have it retained.") var willRetain = false

  func check() throws {
    guard willTopic != nil || (willPayload == nil && willQos == 0 && !willRetain) else {
      throw ValidationError("a will needs --will-topic")
    }
    if let willTopic { try checkTopic(willTopic, "--will-topic") }
    _ = try quality(willQos)
  }
}

/// Nothing but a topic can be published on.
func checkTopic(_ topic: String, _ option: String) throws {
  let bytes = Array(topic.utf8)
  do { try TopicName.check(bytes.span) } catch {
    switch error {
    case .emptyTopic:
      throw ValidationError("\(option) is empty: name a topic, such as swiftlet/greenhouse/fan/set")
    case .wildcardInTopic:
      throw ValidationError(
        "\(option) '\(topic)' has '+' or '#' in it, which are for subscribers: name one topic")
    default: throw ValidationError("\(option) is longer than 65,535 bytes or contains U+0000")
    }
  }
}

/// 0, 1 or 2 as the client has it.
func quality(_ number: Int) throws -> MQTTQoS {
  guard let byte = UInt8(exactly: number), let qos = MQTTQoS(rawValue: byte) else {
    throw ValidationError("QoS \(number) is none; write 0, 1 or 2")
  }
  return qos
}
