import CLinux
import Foundation
import HAL
import Testing

@testable import LinuxPlatform

/// How a WebSocket ends.
struct WebSocketStreamTests {
  @Test func `what was taken before the end arrives, however late the server reads`() throws {
    let loop = try EventLoop()
    defer { loop.close() }
    let talk = try LateReader(loop)
    try loop.run(talk)
    #expect(talk.taken > 0)
    #expect(talk.arrived == talk.taken)
    #expect(talk.sawClose)
  }
}

/// Both ends: a server at a local socket, which reads nothing until the client has written all that is taken and
/// has finished.
private final class LateReader: LoopClient, NetworkStreamOwner {
  private(set) var taken = 0
  private(set) var arrived = 0
  private(set) var sawClose = false
  private(set) var isFinished = false
  private let listener: Int32
  private var connection: Int32 = -1
  private var input: [UInt8] = []
  private var isUpgraded = false
  private var stream: WebSocketStream?

  init(_ loop: EventLoop) throws {
    let path = NSTemporaryDirectory() + "swiftlet-\(UUID().uuidString.prefix(8)).sock"
    var address = linux_address()
    try #require(linux_resolve(path, 0, 1, &address, 1) == 1)
    listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let isBound = withUnsafeBytes(of: &address.storage) {
      bind(listener, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, address.length)
    }
    try #require(isBound == 0 && listen(listener, 1) == 0)
    let endpoint = Endpoint(host: path, port: 0)
    stream = WebSocketStream(endpoint, WebSocketSettings(), isSecure: false, owner: self) {
      TCPStream(endpoint, loop: loop, owner: $0)
    }
    stream?.open()
    connection = accept(listener, nil, nil)
    unlink(path)
    _ = fcntl(connection, F_SETFL, O_NONBLOCK)
  }

  deinit {
    stream?.close()
    linux_close(connection)
    linux_close(listener)
  }

  func turn(now: Instant) -> Instant? {
    if !isUpgraded {
      read()
      if input.suffix(4) == [13, 10, 13, 10] { upgrade() }
    } else if taken > 0 {
      read()
    }
    return now + .milliseconds(1)
  }

  private func read() {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = linux_read(connection, &buffer, buffer.count)
    if count > 0 { input += buffer.prefix(count) }
    if count == 0 { countFrames() }
  }

  private func upgrade() {
    let request = String(decoding: input, as: UTF8.self)
    let key = request.split(separator: "Sec-WebSocket-Key: ")[1].prefix { $0 != "\r\n" }
    let proof = base64(SHA1.digest(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
    let answer =
      Array("HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ".utf8)
      + proof + Array("\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n".utf8)
    _ = linux_write(connection, answer, answer.count)
    input = []
    isUpgraded = true
  }

  /// The other end has closed: adds up what is in the frames.
  private func countFrames() {
    var rest = input[...]
    while rest.count >= 6 {
      var length = Int(rest[rest.startIndex + 1] & 127)
      let opcode = rest.removeFirst() & 15
      rest.removeFirst()
      if length == 126 { length = Int(rest.removeFirst()) << 8 | Int(rest.removeFirst()) }
      rest = rest.dropFirst(4)
      if opcode == 2 { arrived += min(length, rest.count) }
      sawClose = sawClose || opcode == 8
      rest = rest.dropFirst(length)
    }
    isFinished = true
  }

  func streamOpened() {
    let bytes = [UInt8](repeating: 1, count: 3_000)
    while let count = stream?.write(bytes.span), count > 0 { taken += count }
    stream?.finish()
  }

  func streamReadable() {}
  func streamWritable() {}
  func streamClosed(_ reason: String) { isFinished = true }
}
