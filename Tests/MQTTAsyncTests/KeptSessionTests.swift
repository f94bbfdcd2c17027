import Glibc
import MQTTClient
import TestBroker
import Testing

/// mosquitto 2.0 sends more messages of QoS 2 than Receive Maximum allows, hundreds of them, and all that it has not
/// released again on the next connection.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct KeptSessionTests {
  let broker: TestBroker

  init() throws {
    broker = try TestBroker(settings: "allow_anonymous true\nmax_queued_messages 0")
  }

  /// How the line breaks.
  enum Fault: CaseIterable {
    case reset
    /// In an orderly way, and what the server sent meanwhile is not read.
    case closed
    /// What we had to say is lost.
    case deaf
  }

  private static let count = 2_000

  @Test(
    "2,000 messages of QoS 2 come out of a kept session once each, wherever the line breaks",
    arguments: [MQTTVersion.v5, .v3_1_1], [UInt16(20), 64])
  func onceEach(_ version: MQTTVersion, _ receiveMaximum: UInt16) throws {
    let calm = try drain("calm-\(version)-\(receiveMaximum)", version, receiveMaximum, nil)
    #expect(calm.connections == 1)
    for fault in Fault.allCases {
      for place in [100, 1_000] {
        let id = "\(fault)-\(place)-\(version)-\(receiveMaximum)"
        let broken = try drain(id, version, receiveMaximum, fault, at: place)
        #expect(
          broken.connections == 2 && broken.bytes <= 2 * calm.bytes, "\(id): \(broken.bytes), \(calm.bytes)")
      }
    }
  }

  /// Has messages kept, and takes them.
  private func drain(
    _ id: String, _ version: MQTTVersion, _ receiveMaximum: UInt16, _ fault: Fault?, at place: Int = 0
  ) throws -> PlainLoop {
    var options = MQTTClientOptions(clientID: id, randomSeed: 1)
    options.version = version
    options.fallsBack = false
    options.cleanSession = false
    options.receiveMaximum = receiveMaximum
    options.backoffMinimum = 1
    options.backoffMaximum = 10
    let before = try PlainLoop(options, port: broker.port)
    try before.client.subscribe(filter: "kept/\(id)", qos: .exactlyOnce)
    try before.run { before.isSubscribed }
    try broker.publishLines(1...Self.count, "-t", "kept/\(id)", "-q", "2")
    let loop = try PlainLoop(options, port: broker.port)
    loop.fault = fault
    loop.place = place
    try loop.run { loop.payloads.count >= Self.count }
    #expect(loop.payloads == (1...Self.count).map(String.init), "\(id)")
    return loop
  }
}

/// The loop of docs/mqtt-client.md, with connections of its own, of which the first breaks.
private final class PlainLoop {
  let client: MQTTClient
  private let port: UInt16
  var fault: KeptSessionTests.Fault?
  /// After so many messages.
  var place = 0
  private var socket: Int32 = -1
  private(set) var bytes = 0
  private(set) var connections = 0
  private(set) var isSubscribed = false
  private(set) var payloads: [String] = []

  init(_ options: MQTTClientOptions, port: UInt16) throws {
    client = try MQTTClient(options)
    self.port = port
  }

  /// Until `isDone`, and a goodbye.
  func run(_ isDone: () -> Bool) throws {
    client.start(now: now)
    var isLeaving = false
    while true {
      client.advance(to: now)
      pull()
      if isDone(), !isLeaving {
        isLeaving = true
        client.disconnect(now: now)
      }
      switch client.transportRequest {
      case .open: open()
      case .close: part()
      case .none: move()
      }
      if isLeaving, socket < 0 { return pull() }
    }
  }

  private func pull() {
    while let event = client.nextEvent(now: now) {
      switch event {
      case .subscribed: isSubscribed = true
      case .message(let message):
        client.withMessage(message) { _, payload in
          payloads.append(payload.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
        }
      case .disconnected(.requested), .disconnected(.transportClosed), .disconnected(.closedEarly),
        .connected:
        break
      default: Issue.record("\(event)")
      }
    }
  }

  private func open() {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    #expect(result == 0)
    connections += 1
    client.transportOpened(now: now)
  }

  private func move() {
    guard socket >= 0 else {
      wait(nil)
      return
    }
    write()
    guard wait(socket) else { return }
    var count = 0
    client.withReceiveBuffer { buffer in
      count = buffer.withUnsafeMutableBytes { read(socket, $0.baseAddress, min($0.count, 700)) }
      return count
    }
    bytes += max(0, count)
    if count < 0 || fault != nil && payloads.count >= place { breakOff() }
  }

  /// True: there is something to be read.
  @discardableResult
  private func wait(_ socket: Int32?) -> Bool {
    let wait = client.nextDeadline.map { $0 - min($0, now) }
    var descriptor = pollfd(fd: socket ?? -1, events: Int16(POLLIN), revents: 0)
    return poll(&descriptor, 1, wait.map { Int32(clamping: $0) } ?? -1) > 0
  }

  private func breakOff() {
    if fault == .reset {
      var linger = linger(l_onoff: 1, l_linger: 0)
      setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    } else {
      pull()
      // What would be written now is thrown away.
      if fault == .deaf { client.withOutput { $0.count } } else { write() }
    }
    fault = nil
    close(socket)
    socket = -1
    client.transportClosed(now: now)
  }

  private func write() {
    client.withOutput { bytes in bytes.withUnsafeBytes { Glibc.write(socket, $0.baseAddress, $0.count) } }
  }

  /// As in the documentation.
  private func part() {
    shutdown(socket, Int32(SHUT_WR))
    var rest = [UInt8](repeating: 0, count: 4096)
    while read(socket, &rest, rest.count) > 0 {}
    close(socket)
    socket = -1
    client.transportClosed(now: now)
  }

  private var now: UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000 + UInt64(now.tv_nsec) / 1_000_000
  }
}
