import Glibc
import MQTTAsync

/// Prints what devices say, until it is ended: `listener mqtts://broker.local`.
@main
enum Main {
  static func main() async {
    do {
      let url = CommandLine.arguments.dropFirst().first ?? "mqtt://localhost"
      let client = try await MQTTAsyncClient.connect(url)
      for await message in try await client.messages("swiftlet/#") {
        print(message.topic, message.text ?? "\(message.payload.count) bytes")
      }
    } catch {
      print(error)
      exit(1)
    }
  }
}
