import Foundation
import MQTTAsync
import TestBroker
import Testing

/// What a process holds.
private struct Holdings: CustomStringConvertible {
  let files: Int
  let threads: Int
  let kilobytes: Int

  init() throws {
    files = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    kilobytes = line?.split(separator: " ").compactMap { Int($0) }.first ?? 0
  }

  var description: String { "\(files) files, \(threads) threads, \(kilobytes) kB" }
}

/// Clients that come and go, in a process of their own, which holds as much afterwards as before.
private enum Cycles {
  static func run(_ count: Int, _ cycle: () async throws -> Void) async throws {
    // Swift's own threads, the libraries.
    for _ in 0..<20 { try await cycle() }
    let before = try Holdings()
    for _ in 0..<count { try await cycle() }
    var after = try Holdings()
    // Threads end some time after their client. Swift has a few of its own, which come and go.
    let slack = 6
    for _ in 0..<6000 where after.files > before.files + slack || after.threads > before.threads + slack {
      try await Task.sleep(for: .milliseconds(10))
      after = try Holdings()
    }
    precondition(after.files <= before.files + slack, "\(before); \(after)")
    precondition(after.threads <= before.threads + slack, "\(before); \(after)")
    // Each client has 3 MiB.
    precondition(after.kilobytes < before.kilobytes + 30_000, "\(before); \(after)")
  }

  static func talk(_ client: MQTTAsyncClient) async throws {
    try await client.connect()
    let messages = try await client.messages("a", qos: .atLeastOnce)
    for number in 1...3 { try await client.publish("a", "\(number)", qos: .atLeastOnce) }
    for await message in messages where message.text == "2" { break }
  }
}

/// What somebody held.
private final class Former {
  private(set) weak var client: MQTTAsyncClient?
  private(set) weak var messages: MQTTMessages?

  init(_ client: MQTTAsyncClient?, _ messages: MQTTMessages?) {
    self.client = client
    self.messages = messages
  }
}

@Suite(.timeLimit(.minutes(5)))
struct LeakTests {
  @Test("200 clients leave no file, no thread and no memory behind, closed in order or let go")
  func plain() async {
    await #expect(processExitsWith: .success) {
      let broker = try TestBroker()
      var isClosed = false
      try await Cycles.run(200) {
        // A name, so that there is a lookup.
        let client = try MQTTAsyncClient("mqtt://localhost:\(broker.port)")
        try await Cycles.talk(client)
        isClosed.toggle()
        if isClosed { await client.disconnect() }
      }
    }
  }

  @Test("Nor do clients of WebSockets with TLS")
  func secure() async {
    await #expect(processExitsWith: .success) {
      let certificates = try TestCertificates()
      let port = try TestBroker.freePort()
      let broker = try TestBroker(
        settings: "allow_anonymous true\n" + certificates.listener(port) + "protocol websockets",
        others: [port])
      var transport = MQTTTransport()
      transport.tls.caFile = certificates.path("ca.crt")
      try await Cycles.run(30) {
        let client = try MQTTAsyncClient("wss://localhost:\(port)/mqtt", transport: transport)
        try await Cycles.talk(client)
      }
      broker.kill()
    }
  }

  @Test("Nor do attempts that fail")
  func failing() async {
    await #expect(processExitsWith: .success) {
      let port = try TestBroker.freePort()
      try await Cycles.run(200) {
        for host in ["localhost", "127.0.0.1"] {
          do {
            _ = try await MQTTAsyncClient.connect("mqtt://\(host):\(port)")
            preconditionFailure("somebody is there")
          } catch {}
        }
      }
    }
  }

  @Test("A client that nobody holds is gone, and its streams with it") func gone() async throws {
    let broker = try TestBroker()
    var client: MQTTAsyncClient? = try await MQTTAsyncClient.connect(broker.url, options: options())
    var messages = try await client?.messages("a", qos: .atLeastOnce)
    let former = Former(client, messages)
    var states = try #require(client?.states.makeAsyncIterator())
    client = nil
    #expect(former.client != nil, "the stream holds it")
    #expect(messages?.dropped == 0)
    messages = nil
    #expect(former.messages == nil)
    #expect(former.client == nil)
    while let state = await states.next(), state != .closed {}
  }
}
