import Testing

struct BadBrokerTests {
  @Test(arguments: brokerInputs)
  func `a wrong broker is reported at its place`(input: BadInput) {
    #expect(errors(input.text) == input.errors)
  }

  @Test(arguments: substitutionInputs)
  func `a wrong variable or secret is reported at its place`(input: BadInput) {
    #expect(errors(input.text) == input.errors)
  }

  private static let brokerInputs = [
    BadInput(
      "no broker", "device: d\nboard: simulator\nmodules: []\n",
      "1:1: 'mqtt' is missing; for example mqtt: mqtt://broker.local"),
    BadInput(
      "a broker without scheme", broker("broker.local"),
      "3:7: the broker URL has no scheme; write mqtt://HOST or mqtt://HOST:PORT"),
    BadInput(
      "a broker of nothing but host and port", broker("broker.local:1883"),
      "3:7: the broker URL has no scheme; write mqtt://HOST or mqtt://HOST:PORT"),
    BadInput(
      "mqtts", broker("mqtts://broker.local"),
      "3:7: brokers at mqtts:// are not supported before the next release; only mqtt:// is today"),
    BadInput(
      "ws", broker("ws://broker.local"),
      "3:7: brokers at ws:// are not supported before the next release; only mqtt:// is today"),
    BadInput(
      "wss", broker("wss://broker.local"),
      "3:7: brokers at wss:// are not supported before the next release; only mqtt:// is today"),
    BadInput(
      "unix", broker("unix://broker.local"),
      "3:7: brokers at unix:// are not supported before the next release; only mqtt:// is today"),
    BadInput(
      "an unknown scheme", broker("tcp://broker.local"),
      "3:7: unknown scheme 'tcp' in the broker URL; write mqtt://"),
    BadInput(
      "a list of brokers", broker("[mqtt://a, mqtt://b]"),
      "3:7: lists of brokers are not supported before the next release; give one URL"),
    BadInput(
      "a broker without host", broker("mqtt://"),
      "3:7: the broker URL has no host"),
    BadInput(
      "a broker with a path", broker("mqtt://broker/path"),
      "3:7: the broker URL goes on after the host; leave the path out, or in a password write '/' as %2F, '?' as %3F, '#' as %23"
    ),
    BadInput(
      "a broker with a query", broker("mqtt://broker?x=1"),
      "3:7: the broker URL goes on after the host; leave the path out, or in a password write '/' as %2F, '?' as %3F, '#' as %23"
    ),
    BadInput(
      "a port of letters", broker("mqtt://broker:mqtt"),
      "3:7: the port in the broker URL must be a number from 1 to 65535"),
    BadInput(
      "a port of nothing", broker("mqtt://broker:/"),
      "3:7: the port in the broker URL must be a number from 1 to 65535"),
    BadInput(
      "port 0", broker("mqtt://broker:0"),
      "3:7: the port in the broker URL must be a number from 1 to 65535"),
    BadInput(
      "port 65536", broker("mqtt://broker:65536"),
      "3:7: the port in the broker URL must be a number from 1 to 65535"),
    BadInput(
      "an IPv6 address without brackets", broker("mqtt://fe80::1:1883"),
      "3:7: more than one ':' after the host; write IPv6 as mqtt://[::1]:1883"),
    BadInput(
      "a bracket without end in a URL", broker("mqtt://[::1"),
      "3:7: '[' without ']' in the broker URL"),
    BadInput(
      "something after a bracket", broker("mqtt://[::1]1883"),
      "3:7: only ':' and a port can follow ']' in the broker URL"),
    BadInput(
      "a host of other characters", broker("'mqtt://bro ker'"),
      "3:7: the host in the broker URL is no name and no address"),
    BadInput(
      "an empty user", broker("mqtt://:secret@broker"),
      "3:7: the user name in the broker URL is empty"),
    BadInput(
      "a broken percent code", broker("mqtt://user:p%4@broker"),
      "3:7: '%' in the broker URL is not followed by two hexadecimal digits; write '%' as %25"),
    BadInput(
      "a percent code that is no text", broker("mqtt://user:%ff@broker"),
      "3:7: user name or password in the broker URL is not text when decoded"),
    BadInput(
      "a password with a slash", broker("mqtt://user:pa/ss@broker"),
      "3:7: the broker URL goes on after the host; leave the path out, or in a password write '/' as %2F, '?' as %3F, '#' as %23"
    ),
    BadInput(
      "a mapping without URL", broker("{ username: u }"),
      "3:7: 'url' is missing in 'mqtt'; for example url: mqtt://broker.local"),
    BadInput(
      "a mapping with an unknown key", broker("{ url: mqtt://h, user: u }"),
      "3:24: unknown key 'user' in 'mqtt'; known keys are url, username, password, keep_alive, client_id, version, auth and outbox"
    ),
    BadInput(
      "user twice", broker("{ url: mqtt://u@h, username: v }"),
      "3:36: 'username' is given here and in the URL; keep one of them"),
    BadInput(
      "a password alone", broker("{ url: mqtt://h, password: p }"),
      "3:34: 'password' without 'username'; MQTT needs both"),
    BadInput(
      "a password that is a list", broker("{ url: mqtt://h, username: u, password: [p] }"),
      "3:47: 'password' in 'mqtt' must be a text, not a list"),
    BadInput(
      "a keep-alive that is too short", broker("{ url: mqtt://h, keep_alive: 1s }"),
      "3:36: 'keep_alive' in 'mqtt' must be whole seconds from 5s to 65535s, not '1s'"),
    BadInput(
      "a keep-alive of fractions", broker("{ url: mqtt://h, keep_alive: 5500ms }"),
      "3:36: 'keep_alive' in 'mqtt' must be whole seconds from 5s to 65535s, not '5500ms'"),
    BadInput(
      "a keep-alive that is too long", broker("{ url: mqtt://h, keep_alive: 1d }"),
      "3:36: 'keep_alive' in 'mqtt' must be whole seconds from 5s to 65535s, not '1d'"),
    BadInput(
      "a version that is none", broker("{ url: mqtt://h, version: 3.1 }"),
      "3:33: 'version' in 'mqtt' must be 5 or 3.1.1, not '3.1'"),
    BadInput(
      "a client that is too long",
      broker("{ url: mqtt://h, client_id: \(String(repeating: "c", count: 129)) }"),
      "3:35: 'client_id' in 'mqtt' is longer than 128 bytes"),
    BadInput(
      "a client that is empty", broker("{ url: mqtt://h, client_id: '' }"),
      "3:35: 'client_id' in 'mqtt' must be a text, not nothing"),
  ]

  private static let substitutionInputs = [
    BadInput(
      "a variable that is not set", relay("active: ${LEVEL}"),
      "7:13: environment variable LEVEL is not set; set it, or give a default: ${LEVEL:-default}"),
    BadInput(
      "a variable without its end", relay("active: ${LEVEL"),
      "7:13: '${' without '}'; write '$${' if it is meant literally"),
    BadInput(
      "a variable without a name", relay("active: '${}'"),
      "7:13: '${}' names no variable; write ${NAME} or ${NAME:-default}"),
    BadInput(
      "a variable with a bad name", relay("active: '${1A}'"),
      "7:13: '${1A}' names no variable; write ${NAME} or ${NAME:-default}"),
    BadInput(
      "a variable with another operator", relay("active: '${A:+b}'"),
      "7:13: '${A:+b}' names no variable; write ${NAME} or ${NAME:-default}"),
    BadInput(
      "a wrong value from a default", relay("active: ${LEVEL:-lo}"),
      "7:13: 'active' in relay 'fan' must be high or low, not 'lo'; did you mean 'low'?"),
    BadInput(
      "a secret without a name", broker("{ url: mqtt://h, username: u, password: !secret }"),
      "3:47: '!secret' without a name; for example !secret mqtt_password"),
    BadInput(
      "a secret without a file", broker("{ url: mqtt://h, username: u, password: !secret pw }"),
      "3:47: secret 'pw' is wanted, but there is no secrets.yaml to read; put it beside the device file, with a line pw: …"
    ),
  ]
}
