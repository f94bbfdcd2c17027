import Foundation
import MQTTAsync
import TestBroker
import Testing

@Suite("The example in docs/async-client.md", .timeLimit(.minutes(5)))
struct ExampleTests {
  @Test("It is the one that is compiled here") func isTheSame() throws {
    let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let source = try String(contentsOf: directory.appending(path: "Example.swift"), encoding: .utf8)
    let root = directory.deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(contentsOf: root.appending(path: "docs/async-client.md"), encoding: .utf8)
    #expect(page.contains("```swift\n" + source + "```\n"))
  }

  @Test("It switches a fan on, and its options are taken") func runs() async throws {
    let broker = try TestBroker()
    let greenhouse = try await MQTTAsyncClient.connect(broker.url)
    let commands = try await greenhouse.messages("swiftlet/greenhouse/fan/set", qos: .atLeastOnce)
    let fan = Task {
      for await command in commands {
        try await greenhouse.publish("swiftlet/greenhouse/fan/state", command.payload, qos: .atLeastOnce)
      }
    }
    try await switchFanOn(at: broker.url)
    fan.cancel()
    #expect(try keeper(authority: "/ca.pem").state == .idle)
  }
}
