import DeviceFile
import LinuxPlatform
import MQTTConnection

// What lies between MQTT and the network: `tls`, `headers`, `proxy`, `failback` and `reconnect` of
// the broker.
extension BrokerReader {
  func readTransport(_ fields: Fields, into broker: BrokerDescription) {
    if let field = fields.optional("tls") {
      if !broker.servers.isEmpty, !broker.servers.contains(where: { $0.scheme.isSecure }) {
        field.report("'tls' has no effect with these URLs", "write mqtts:// or wss://")
      }
      broker.tls = tls(field, &broker.tlsMarks)
    }
    if let field = fields.optional("headers") {
      if !broker.servers.isEmpty, !broker.servers.contains(where: { $0.scheme.isWebSocket }) {
        field.report("'headers' has no effect with these URLs", "it is for ws:// and wss://")
      }
      broker.headers = headers(field)
    }
    if let field = fields.optional("proxy") { broker.proxy = proxy(field, broker.servers) }
    if let field = fields.optional("failback") {
      if broker.servers.count == 1 {
        field.report("'failback' has no effect with one broker", "give a list of URLs")
      }
      broker.failbackMilliseconds =
        field.milliseconds(proposing: 1_000...Field.longest) ?? broker.failbackMilliseconds
      if broker.failbackMilliseconds < 1000 { field.reject(wanted: "at least 1s") }
    }
    if let field = fields.optional("reconnect") { reconnect(field, &broker.reconnectMilliseconds) }
  }

  private func reconnect(_ field: Field, _ pauses: inout ClosedRange<Int64>) {
    let wanted: Message = "a mapping like { min: 500ms, max: 8s }"
    guard let fields = Fields(field.node, owner: "'reconnect'", wanted: wanted, problems) else { return }
    let shortest = fields.optional("min")
    let longest = fields.optional("max")
    let low = shortest?.milliseconds(atLeast: 100) ?? pauses.lowerBound
    let high = longest?.milliseconds() ?? max(low, pauses.upperBound)
    if low <= high {
      pauses = low...high
    } else {
      longest?.reject(wanted: "\(durationText(low)) or longer")
    }
    fields.finish()
  }

  private func proxy(_ field: Field, _ servers: [ServerDescription]) -> ProxySettings? {
    guard let text = field.text(wanted: "a URL like socks5://HOST:PORT", orSecret: true) else { return nil }
    if !servers.isEmpty, servers.allSatisfy({ $0.scheme == .unix }) {
      field.report("'proxy' has no effect with a local socket", "leave it out")
    }
    do throws(MQTTURLFault) {
      let url = try MQTTURL(text, .proxy)
      return ProxySettings(
        url.scheme == .socks5 ? .socks5 : .http, Endpoint(host: url.host, port: url.port),
        username: url.username, password: url.password)
    } catch {
      problems.report(field.mark, error)
      return nil
    }
  }

  private func tls(_ field: Field, _ marks: inout TLSMarks) -> TLSSettings {
    var tls = TLSSettings()
    let wanted: Message = "a mapping like { ca: /etc/swiftlet/ca.pem }"
    guard let fields = Fields(field.node, owner: "'tls'", wanted: wanted, problems) else { return tls }
    if let authority = fields.optional("ca").flatMap({ file($0, &marks.authority) }) {
      // A directory has a name that ends with a slash.
      if authority.bytes.last == UInt8(ascii: "/") {
        tls.caDirectory = authority
      } else {
        tls.caFile = authority
      }
    }
    tls.certificate = fields.optional("cert").flatMap { file($0, &marks.certificate) }
    if let key = fields.optional("key") {
      tls.key = file(key, &marks.key)
      if tls.certificate == nil { key.report("'key' without 'cert'", "the broker wants to see both") }
    }
    if let field = fields.optional("key_password") {
      marks.keyPassword = field.mark
      tls.keyPassword = keyPassword(field, tls)
    }
    tls.pin = fields.optional("pin").flatMap { pin($0) }
    if let insecure = fields.optional("insecure"), insecure.state() == true {
      tls.isInsecure = true
      if tls.caFile != nil || tls.caDirectory != nil {
        insecure.report("'insecure' and 'ca' contradict each other", "leave 'insecure' out")
      }
    }
    if let alpn = fields.optional("alpn"), let text = alpn.text() {
      tls.alpn = text
      if text.utf8.count > 254 { alpn.report("\(alpn.title) is longer than 254 bytes") }
    }
    fields.finish()
    return tls
  }

  private func keyPassword(_ field: Field, _ tls: TLSSettings) -> String? {
    if tls.certificate == nil { field.report("'key_password' without 'cert'", "it is for the key of 'cert'") }
    guard let text = field.text(orSecret: true) else { return nil }
    // OpenSSL takes no longer ones.
    if text.utf8.count > 1024 { field.report("\(field.title) is longer than 1024 bytes") }
    return text
  }

  private func file(_ field: Field, _ mark: inout Mark?) -> String? {
    mark = field.mark
    guard let text = field.text() else { return nil }
    if text.bytes.first == UInt8(ascii: "/") { return text }
    field.reject(wanted: "a file with its whole path")
    return nil
  }

  private func pin(_ field: Field) -> [UInt8]? {
    guard let text = field.text() else { return nil }
    var digits = text.bytes.filter { $0 != 0x3A }[...]
    var pin: [UInt8] = []
    while digits.count >= 2, let high = digit(digits.removeFirst()), let low = digit(digits.removeFirst()) {
      pin.append(high << 4 | low)
    }
    if pin.count == 32, digits.isEmpty { return pin }
    field.reject(
      wanted: "the SHA-256 of the broker's public key, 64 hexadecimal digits",
      "openssl x509 -in server.crt -pubkey -noout | openssl pkey -pubin -outform der | sha256sum")
    return nil
  }

  /// The value of a hexadecimal digit.
  private func digit(_ byte: UInt8) -> UInt8? {
    if isDigit(byte) { return byte - 0x30 }
    let lower = lowercase(byte)
    return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : nil
  }

  /// A list of lines; a secret may be one.
  private func headers(_ field: Field) -> [String] {
    guard case .sequence(let nodes) = field.node.content else {
      field.reject(wanted: "a list like ['Authorization: Bearer …']")
      return []
    }
    var lines: [String] = []
    for node in nodes {
      let line = Field(node: node, key: field.key, owner: field.owner, problems: problems)
      guard let text = line.text(wanted: "a line like 'Name: value'", orSecret: true) else { continue }
      let bytes = text.bytes
      let isLine = bytes.count <= 1024 && bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
      if isLine, bytes.contains(0x3A), bytes[0] != 0x3A {
        lines.append(text)
      } else {
        line.report("a header is a line like 'Name: value' of at most 1024 bytes")
      }
    }
    return lines
  }
}
