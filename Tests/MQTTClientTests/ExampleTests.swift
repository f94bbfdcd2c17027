import Foundation
import Loopback
import Synchronization
import Testing

@Suite("The example in docs/mqtt-client.md")
struct ExampleTests {
  @Test("It is the one that is compiled here")
  func isTheSame() throws {
    let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let source = try String(
      contentsOf: directory.appendingPathComponent("PlainSocketExample.swift"), encoding: .utf8)
    let root = directory.deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(contentsOf: root.appendingPathComponent("docs/mqtt-client.md"), encoding: .utf8)
    #expect(page.contains("```swift\n" + source + "```\n"))
  }

  @Test("It hears itself, over a socket")
  func runs() throws {
    var ends: [Int32] = [0, 0]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    defer { close(ends[0]) }
    let serverEnd = ends[1]
    let said = Mutex(0)
    let thread = Thread {
      let server = LoopbackServer()
      server.transportOpened()
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = read(serverEnd, &buffer, buffer.count)
        guard count > 0 else { break }
        server.receive([UInt8](buffer[..<count]))
        _ = write(serverEnd, server.output, server.output.count)
        server.output = []
      }
      said.withLock { $0 = server.disconnects }
      close(serverEnd)
    }
    thread.start()
    #expect(try greet(over: ends[0], clientID: "example") == "hello")
    // It has read on until the server had its goodbye, and closed.
    #expect(said.withLock { $0 } == 1)
  }
}
