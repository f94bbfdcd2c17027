import Configuration
import DeviceFile
import Testing

struct SubstitutionTests {
  private let surroundings = TestSurroundings()

  private func device(_ text: String) throws -> DeviceDescription {
    try load(text, surroundings: surroundings).device
  }

  @Test func `a variable stands for its value, anywhere in any value`() throws {
    surroundings.variables = ["HOST": "broker.local", "PORT": "1884", "ROOM": "attic"]
    let text = "device: ${ROOM}-1\nboard: simulator\nmqtt: 'mqtt://${HOST}:${PORT}'\nmodules: []\n"
    let device = try device(text)
    #expect(
      device.name == "attic-1" && device.broker.servers[0].host == "broker.local"
        && device.broker.servers[0].port == 1884)
  }

  @Test func `a default stands in for a variable that is unset or empty`() throws {
    #expect(try device(broker("'mqtt://${HOST:-localhost}'")).broker.servers[0].host == "localhost")
    surroundings.variables = ["HOST": ""]
    #expect(try device(broker("'mqtt://${HOST:-localhost}'")).broker.servers[0].host == "localhost")
    surroundings.variables = ["HOST": "h"]
    #expect(try device(broker("'mqtt://${HOST:-localhost}'")).broker.servers[0].host == "h")
  }

  @Test func `a value cannot change the structure of the file`() throws {
    surroundings.variables = ["CLIENT": "x, keep_alive: 5s }\n- relay: evil"]
    let broker = try device(broker("{ url: mqtt://h, client_id: '${CLIENT}' }")).broker
    #expect(broker.clientID == "x, keep_alive: 5s }\n- relay: evil" && broker.keepAliveSeconds == 60)
  }

  @Test func `a value is not looked at again`() throws {
    surroundings.variables = ["CLIENT": "${HOME}"]
    let broker = try device(broker("{ url: mqtt://h, client_id: '${CLIENT}' }")).broker
    #expect(broker.clientID == "${HOME}")
  }

  @Test func `two dollar signs and a single one stay what they are`() throws {
    let broker = try device(broker("{ url: mqtt://h, username: u, password: 'a$${B}$c$$d' }")).broker
    #expect(broker.password == "a${B}$c$$d")
  }

  @Test func `a value that is too long is refused`() {
    surroundings.variables = ["CLIENT": String(repeating: "x", count: 5000)]
    let text = broker("{ url: mqtt://h, client_id: '${CLIENT}' }")
    #expect(
      errors(text, surroundings: surroundings) == [
        "device.yaml:3:35: a text longer than 4096 bytes with its variables replaced"
      ])
  }

  // MARK: - Secrets

  private let withSecret = broker("{ url: mqtt://h, username: u, password: !secret pw }")

  @Test func `a secret comes from the secrets file, as it stands there`() throws {
    surroundings.secrets = "# of this house\npw: 'a${B}#'\nother: x\n"
    #expect(try device(withSecret).broker.password == "a${B}#")
  }

  @Test(arguments: [
    ("pv: x\n", "device.yaml:3:47: no secret 'pw' in secrets.yaml; did you mean 'pv'?"),
    ("token: x\n", "device.yaml:3:47: no secret 'pw' in secrets.yaml"),
    ("pw:\n", "secrets.yaml:1:4: secret 'pw' must be a text"),
    ("pw: [a]\n", "secrets.yaml:1:5: secret 'pw' must be a text"),
    ("pw: !secret pw\n", "secrets.yaml:1:5: secret 'pw' must be a text"),
    ("hunter2\n", "secrets.yaml:1:1: expected lines like pw: …"),
    ("", "secrets.yaml:1:1: the file is empty"),
    ("pw: x\npw: y\n", "secrets.yaml:2:1: key 'pw' is given twice, first in line 1"),
    ("pw: \tx: y\n", "secrets.yaml:1:7: not YAML: mapping values are not allowed in this context"),
  ])
  func `what is wrong with a secret is reported where it is wrong`(secrets: String, expected: String) {
    surroundings.secrets = secrets
    let found = errors(withSecret, surroundings: surroundings)
    #expect(found.count == 1 && found[0].hasPrefix(expected))
  }

  @Test func `a secret is in no message and in no summary`() throws {
    surroundings.secrets = "pw: hunter2\n"
    let places = [
      "device: !secret pw\nboard: simulator\nmqtt: mqtt://h\nmodules: []\n",
      "device: d\nboard: !secret pw\nmqtt: mqtt://h\nmodules: []\n",
      broker("!secret pw"), broker("{ url: mqtt://h, keep_alive: !secret pw }"),
      relay("active: !secret pw"), relay("safety: { start: !secret pw, max_on: !secret pw }"),
      modules("- relay: fan", "  line: !secret pw"), modules("- !secret pw"),
      sensor("address: !secret pw"), sensor("every: !secret pw"),
      modules("- sensor: air", "  driver: !secret pw", "  bus: !secret pw"),
    ]
    for text in places {
      for error in errors(text, surroundings: surroundings) { #expect(!error.contains("hunter2")) }
    }
    #expect(try !Summary.text(load(withSecret, surroundings: surroundings)).contains("hunter2"))
  }

  // MARK: - The variable for the broker

  @Test func `SWIFTLET_MQTT overrides the broker's URL and nothing else`() throws {
    surroundings.variables = ["SWIFTLET_MQTT": "mqtt://there:1884"]
    let text = broker("{ url: mqtt://u:p@h, keep_alive: 2min, client_id: me }")
    let other = try device(text).broker
    #expect(
      other.servers[0].host == "there" && other.servers[0].port == 1884 && other.keepAliveSeconds == 120)
    #expect(other.username == "u" && other.password == "p" && other.clientID == "me")
    surroundings.variables = ["SWIFTLET_MQTT": "mqtt://v@there"]
    let user = try device(text).broker
    #expect(user.username == "v" && user.password == nil)
    surroundings.variables = ["SWIFTLET_MQTT": ""]
    #expect(try device(text).broker.servers[0].host == "h")
  }

  @Test func `with SWIFTLET_MQTT a file needs no broker`() throws {
    surroundings.variables = ["SWIFTLET_MQTT": "mqtt://there"]
    let text = "device: d\nboard: simulator\nmodules: []\n"
    #expect(try device(text).broker.servers[0].host == "there")
    #expect(try device(text).broker.clientID == "swiftlet-d")
  }

  @Test func `a wrong SWIFTLET_MQTT is reported by its name`() {
    surroundings.variables = ["SWIFTLET_MQTT": "tcp://there"]
    #expect(
      errors(modules("[]"), surroundings: surroundings) == [
        "environment variable SWIFTLET_MQTT: unknown scheme 'tcp' in the broker URL; write mqtt://, "
          + "mqtts://, ws://, wss:// or unix://"
      ])
  }
}
