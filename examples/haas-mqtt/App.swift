import HaaSMQTT

// The flow of the manual: connect, subscribe to /hello, publish every 3 seconds.
//   swift run haas-mqtt broker.local

@main
struct App {
  static func main() async throws {
    var options = mqtt.Options(host: CommandLine.arguments.dropFirst().first ?? "localhost")
    options.fail = { print("failed: \($0)") }
    guard let client = mqtt.createClient(options) else { return }

    client.on(.message) { topic, message in
      print("\(topic): \(String(decoding: message, as: UTF8.self))")
    }
    client.on(.connect) {
      print("connected")
      client.subscribe(topic: "/hello", success: { print("subscribed") }, fail: { print($0) })
    }
    client.on(.reconnect) { print("connected again") }
    client.on(.disconnect) { print("disconnected") }
    client.on(.error) { print("error: \($0)") }

    while true {
      try await Task.sleep(for: .seconds(3))
      client.publish(topic: "/hello", message: "this is AMP mqtt test")
    }
  }
}
