import Foundation

/// A server that says nothing and hears what comes first.
public final class TestListener: Sendable {
  public let port: UInt16
  private let file: Int32

  public init() throws {
    port = try TestBroker.freePort()
    file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var yes: Int32 = 1
    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
    var address = TestBroker.loopback(port)
    let isListening = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 && listen(file, 8) == 0
      }
    }
    guard isListening else { throw TestBroker.Failure(what: "no listener") }
  }

  deinit {
    close(file)
  }

  /// The first packet of the next client, whose connection is closed then. At most 127 bytes of body.
  public func packet(within milliseconds: Int32 = 90_000) throws -> [UInt8] {
    try wait(file, milliseconds)
    let client = accept(file, nil, nil)
    defer { close(client) }
    var bytes: [UInt8] = []
    while bytes.count < 2 || bytes.count < 2 + Int(bytes[1]) {
      try wait(client, milliseconds)
      var buffer = [UInt8](repeating: 0, count: 256)
      let count = recv(client, &buffer, buffer.count, 0)
      guard count > 0 else { throw TestBroker.Failure(what: "the client closed after \(bytes)") }
      bytes += buffer.prefix(count)
    }
    return bytes
  }

  private func wait(_ file: Int32, _ milliseconds: Int32) throws {
    var waited = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
    guard poll(&waited, 1, milliseconds) == 1 else { throw TestBroker.Failure(what: "nobody comes") }
  }
}

/// What a client introduces itself with.
public struct TestConnect {
  public let level: UInt8
  public let flags: UInt8
  public let keepAlive: UInt16
  public let clientID: String
  /// User name, password and will as they follow the client identifier.
  public let rest: [UInt8]

  public init(_ packet: [UInt8]) throws {
    guard packet.count > 14, packet[0] == 0x10, packet[2...7].elementsEqual([0, 4] + Array("MQTT".utf8))
    else {
      throw TestBroker.Failure(what: "no CONNECT: \(packet)")
    }
    level = packet[8]
    flags = packet[9]
    keepAlive = UInt16(packet[10]) << 8 | UInt16(packet[11])
    var start = 12
    if level == 5 { start += 1 + Int(packet[12]) }
    let count = Int(packet[start]) << 8 | Int(packet[start + 1])
    clientID = String(decoding: packet[(start + 2)..<(start + 2 + count)], as: UTF8.self)
    rest = Array(packet[(start + 2 + count)...])
  }
}
