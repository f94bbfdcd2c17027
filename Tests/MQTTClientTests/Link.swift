import Loopback
import MQTTClient

/// Connects a client to a `LoopbackServer` on a virtual clock, and cuts the connection where it is told.
final class Link {
  let harness: Harness
  let server: LoopbackServer
  private(set) var isOpen = false
  /// The server cannot be reached.
  var isDown = false
  /// Bytes that still pass, both directions together, before the connection is lost.
  var bytesUntilCut: Int?

  var client: MQTTClient { harness.client }

  init(_ harness: Harness, server: LoopbackServer = LoopbackServer()) {
    self.harness = harness
    self.server = server
  }

  /// Does everything that can be done without time passing.
  func settle() {
    var isQuiet = false
    while !isQuiet {
      isQuiet = true
      if obey() { isQuiet = false }
      if isOpen, move() { isQuiet = false }
      harness.pull()
    }
  }

  /// Lets time pass from deadline to deadline.
  func run(for milliseconds: UInt64) {
    let end = harness.now + milliseconds
    settle()
    while let deadline = client.nextDeadline, deadline <= end {
      harness.now = max(harness.now, deadline)
      client.advance(to: harness.now)
      settle()
    }
    harness.now = end
    client.advance(to: end)
    settle()
  }

  func cut() {
    guard isOpen else { return }
    isOpen = false
    server.transportClosed()
    client.transportClosed(now: harness.now)
  }

  private func obey() -> Bool {
    switch client.transportRequest {
    case .none: return false
    case .open where isOpen: return false
    case .open:
      if isDown {
        client.transportClosed(now: harness.now)
      } else {
        isOpen = true
        server.transportOpened()
        client.transportOpened(now: harness.now)
      }
      return true
    case .close:
      isOpen = false
      server.transportClosed()
      client.transportClosed(now: harness.now)
      return true
    }
  }

  /// Moves bytes both ways; true when there were some.
  private func move() -> Bool {
    var moved = false
    if client.hasOutput {
      moved = true
      server.receive(passing(harness.takeAll()))
    }
    if isOpen, !server.output.isEmpty {
      moved = true
      let bytes = passing(server.output)
      server.output = []
      harness.feed(bytes)
    }
    if bytesUntilCut == 0 || server.wantsClose && server.output.isEmpty, client.transportRequest == .none {
      bytesUntilCut = nil
      cut()
      return true
    }
    return moved
  }

  private func passing(_ bytes: [UInt8]) -> [UInt8] {
    guard let left = bytesUntilCut else { return bytes }
    bytesUntilCut = max(0, left - bytes.count)
    return [UInt8](bytes.prefix(left))
  }
}
