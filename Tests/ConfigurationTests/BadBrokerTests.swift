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

  static let brokerInputs = [
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
      "a local socket without its path", broker("unix://broker.local"),
      "3:7: a local socket has a whole path of at most 107 bytes; for example unix:///run/mosquitto/mqtt.sock"
    ),
    BadInput(
      "a WebSocket's path with a fragment", broker("'ws://broker.local/mqtt#x'"),
      "3:7: the path of a WebSocket begins with '/' and has printable characters without '#'; for example ws://broker.local/mqtt"
    ),
    BadInput(
      "an unknown scheme", broker("tcp://broker.local"),
      "3:7: unknown scheme 'tcp' in the broker URL; write mqtt://, mqtts://, ws://, wss:// or unix://"),
    BadInput(
      "an empty list of brokers", broker("[]"),
      "3:7: 'mqtt' must be a URL or a list of URLs, not a list"),
    BadInput(
      "a list with a wrong broker", broker("[mqtt://a, b]"),
      "3:18: the broker URL has no scheme; write mqtt://HOST or mqtt://HOST:PORT"),
    BadInput(
      "a user in the second of two URLs", broker("[mqtt://a, mqtt://u@b]"),
      "3:18: a user in one of several URLs; give 'username' and 'password', which are for all of them"),
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
      "a link-local address without its interface", broker("'mqtt://u:p@[FE80::1]:1883'"),
      "3:7: a link-local address needs its interface: [fe80::1%eth0]"),
    BadInput(
      "the last link-local address without its interface", broker("mqtts://[febf::1]"),
      "3:7: a link-local address needs its interface: [fe80::1%eth0]"),
    BadInput(
      "a proxy's link-local address without its interface",
      broker("{ url: mqtt://h, proxy: 'socks5://[fe80::1]' }"),
      "3:31: a link-local address needs its interface: [fe80::1%eth0]"),
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
      "3:24: unknown key 'user' in 'mqtt'; known keys are url, username, password, keep_alive, client_id, version, auth, tls, headers, proxy, failback, reconnect and outbox"
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
      "TLS without need", broker("{ url: mqtt://h, tls: { ca: /ca.pem } }"),
      "3:29: 'tls' has no effect with these URLs; write mqtts:// or wss://"),
    BadInput(
      "headers without need", broker("{ url: mqtts://h, headers: ['A: b'] }"),
      "3:34: 'headers' has no effect with these URLs; it is for ws:// and wss://"),
    BadInput(
      "a proxy without need", broker("{ url: unix:///mqtt.sock, proxy: socks5://p }"),
      "3:40: 'proxy' has no effect with a local socket; leave it out"),
    BadInput(
      "a proxy without a scheme", broker("{ url: mqtt://h, proxy: p:1080 }"),
      "3:31: the proxy's URL has no scheme; write socks5://HOST or socks5://HOST:PORT"),
    BadInput(
      "a proxy of another kind", broker("{ url: mqtt://h, proxy: socks4://p }"),
      "3:31: unknown scheme 'socks4' in the proxy's URL; write socks5:// or http://"),
    BadInput(
      "a proxy with a port that is none", broker("{ url: mqtt://h, proxy: http://p:0 }"),
      "3:31: the port in the proxy's URL must be a number from 1 to 65535"),
    BadInput(
      "failback without need", broker("{ url: mqtt://h, failback: 60s }"),
      "3:34: 'failback' has no effect with one broker; give a list of URLs"),
    BadInput(
      "a failback that is too short", broker("{ url: [mqtt://h, mqtt://i], failback: 10ms }"),
      "3:46: 'failback' in 'mqtt' must be at least 1s, not '10ms'"),
    BadInput(
      "pauses that are too short", broker("{ url: mqtt://h, reconnect: { min: 10ms } }"),
      "3:42: 'min' in 'reconnect' must be 100ms or longer, not '10ms'"),
    BadInput(
      "pauses that shrink", broker("{ url: mqtt://h, reconnect: { min: 2s, max: 1s } }"),
      "3:51: 'max' in 'reconnect' must be 2s or longer, not '1s'"),
    BadInput(
      "pauses without bounds", broker("{ url: mqtt://h, reconnect: 5s }"),
      "3:35: expected a mapping like { min: 500ms, max: 8s }, not '5s'"),
    BadInput(
      "a relative file", broker("{ url: mqtts://h, tls: { ca: ca.pem } }"),
      "3:36: 'ca' in 'tls' must be a file with its whole path, not 'ca.pem'"),
    BadInput(
      "a key alone", broker("{ url: mqtts://h, tls: { key: /k } }"),
      "3:37: 'key' without 'cert'; the broker wants to see both"),
    BadInput(
      "insecure beside an authority", broker("{ url: mqtts://h, tls: { ca: /c, insecure: on } }"),
      "3:50: 'insecure' and 'ca' contradict each other; leave 'insecure' out"),
    BadInput(
      "a pin that is too short", broker("{ url: mqtts://h, tls: { pin: 'ab:cd' } }"),
      "3:37: 'pin' in 'tls' must be the SHA-256 of the broker's public key, 64 hexadecimal digits, not 'ab:cd'; openssl x509 -in server.crt -pubkey -noout | openssl pkey -pubin -outform der | sha256sum"
    ),
    BadInput(
      "a header that is none", broker("{ url: ws://h, headers: [Authorization] }"),
      "3:32: a header is a line like 'Name: value' of at most 1024 bytes"),
    BadInput(
      "a client that is too long",
      broker("{ url: mqtt://h, client_id: \(String(repeating: "c", count: 129)) }"),
      "3:35: 'client_id' in 'mqtt' is longer than 128 bytes"),
    BadInput(
      "a client that is empty", broker("{ url: mqtt://h, client_id: '' }"),
      "3:35: 'client_id' in 'mqtt' must be a text, not nothing"),
  ]

  static let substitutionInputs = [
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
