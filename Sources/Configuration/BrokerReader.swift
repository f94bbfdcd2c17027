import DeviceFile
import MQTTClient
import MQTTConnection

/// Reads `mqtt:`, a URL or a mapping with one, and the environment variable that overrides the URL.
struct BrokerReader {
  static let variable = "SWIFTLET_MQTT"
  static let defaultKeepAliveSeconds: UInt16 = 60
  private static let example = "mqtt://broker.local"

  let problems: Problems
  let features: ConfigurationFeatures
  /// Used unless the file has another one.
  let clientID: String

  static func nothing(_ mark: Mark) -> BrokerDescription {
    BrokerDescription(mark: mark, clientID: "", keepAliveSeconds: defaultKeepAliveSeconds)
  }

  func read(_ fields: Fields, override: String?) -> BrokerDescription {
    // As in a shell, an empty variable is an unset one.
    let url = override.flatMap { $0.utf8.isEmpty ? nil : $0 }
    let broker = BrokerReader.nothing(fields.mark)
    broker.clientID = clientID
    let field = url == nil ? fields.required("mqtt", example: BrokerReader.example) : fields.optional("mqtt")
    if let field { readFile(field, into: broker) }
    if let url {
      broker.mark = Mark(file: "environment variable " + BrokerReader.variable)
      broker.servers = []
      apply(url, at: broker.mark, to: broker)
    }
    return broker
  }

  private func readFile(_ field: Field, into broker: BrokerDescription) {
    switch field.node.content {
    case .mapping:
      readMapping(field.node, into: broker)
    default:
      readURLs(field, into: broker)
    }
  }

  /// One URL, or several in order.
  private func readURLs(_ field: Field, into broker: BrokerDescription) {
    broker.mark = field.mark
    guard case .sequence(let nodes) = field.node.content else { return readURL(field, into: broker) }
    if nodes.isEmpty { field.reject(wanted: "a URL or a list of URLs") }
    for node in nodes {
      readURL(Field(node: node, key: field.key, owner: field.owner, problems: problems), into: broker)
    }
  }

  private func readURL(_ field: Field, into broker: BrokerDescription) {
    guard let text = field.text(wanted: "a URL like \(BrokerReader.example)", orSecret: true) else { return }
    apply(text, at: field.mark, to: broker)
  }

  /// Takes the server and, if it has any, user and password from a URL.
  private func apply(_ text: String, at mark: Mark, to broker: BrokerDescription) {
    do throws(MQTTURLFault) {
      let url = try MQTTURL(text)
      let server = ServerDescription(scheme: url.scheme, host: url.host, port: url.port, path: url.path)
      broker.servers.append(server)
      if !features.transports.serve(tls: url.scheme.isSecure, webSocket: url.scheme.isWebSocket) {
        return problems.report(mark, "this program was built without \(url.scheme.name)://")
      }
      guard let username = url.username else { return }
      if broker.servers.count > 1 {
        return problems.report(
          mark, "a user in one of several URLs", "give 'username' and 'password', which are for all of them")
      }
      broker.username = username
      broker.password = url.password
    } catch {
      problems.report(mark, error)
    }
  }

  private func readMapping(_ node: Node, into broker: BrokerDescription) {
    guard let fields = Fields(node, owner: "'mqtt'", wanted: "a mapping", problems) else { return }
    if let url = fields.required("url", example: BrokerReader.example) { readURLs(url, into: broker) }
    readUser(fields, into: broker)
    if let field = fields.optional("keep_alive") {
      broker.keepAliveSeconds = keepAlive(field) ?? BrokerReader.defaultKeepAliveSeconds
    }
    if let field = fields.optional("client_id"), let text = field.text() {
      broker.clientID = text
      if text.utf8.count > 128 { field.report("\(field.title) is longer than 128 bytes") }
    }
    if let field = fields.optional("version"),
      let index = field.choice(["5", "3.1.1"])
    {
      broker.version = index == 0 ? .v5 : .v3_1_1
    }
    readAuthentication(fields, into: broker)
    readTransport(fields, into: broker)
    broker.outbox = fields.optional("outbox").flatMap { outbox($0) }
    fields.finish()
  }

  private func readUser(_ fields: Fields, into broker: BrokerDescription) {
    let username = fields.optional("username")
    let password = fields.optional("password")
    if let field = username ?? password, broker.username != nil {
      field.report("\(field.key.quoted) is given here and in the URL", "keep one of them")
    } else if let password, username == nil {
      password.report("'password' without 'username'", "MQTT needs both")
    }
    if let username { broker.username = username.text(orSecret: true) }
    if let password { broker.password = password.text(orSecret: true) }
  }

  private func keepAlive(_ field: Field) -> UInt16? {
    guard let milliseconds = field.milliseconds(proposing: 5_000...65_535_000) else { return nil }
    if milliseconds % 1000 == 0, milliseconds >= 5000, milliseconds <= 65_535_000 {
      return UInt16(milliseconds / 1000)
    }
    field.reject(wanted: "whole seconds from 5s to 65535s")
    return nil
  }
}
