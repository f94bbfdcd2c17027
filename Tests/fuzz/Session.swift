// A client's session under a hostile server and a careless owner: each input is a list of acts. What must
// hold whatever happens: no trap, no end of events that never comes, nothing on the wire but whole,
// well-formed packets that begin with CONNECT, and of every message that was taken it is told what became of it.
import MQTTClient
import MQTTCodec

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSession(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count >= 2 else { return 0 }
  let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
  var session = Session(input)
  session.run()
  return 0
}

private struct Session {
  private var client: MQTTClient
  private let options: MQTTClientOptions
  private let input: [UInt8]
  private var disk: StoreInMemory?
  private var balance = Balance()
  private var next = 1
  private var now: UInt64 = 1_000
  private var wire = Wire()
  private var subscriptions: [MQTTSubscription] = []
  private var isOpen = false

  init(_ input: [UInt8]) {
    self.input = input
    var options = MQTTClientOptions(clientID: "fuzz", randomSeed: UInt64(input[0]))
    options.cleanSession = input[0] & 1 == 0
    options.receiveCapacity = input[0] & 2 == 0 ? 64 : 1024
    options.sendCapacity = input[0] & 4 == 0 ? 160 : 1024
    options.outboxCapacity = 512
    options.maxInFlight = 3
    options.topicAliasMaximum = 2
    options.sessionExpiry = input[0] & 32 == 0 ? nil : 100
    options.keepAlive = 10
    options.version = input[0] & 16 == 0 ? .v5 : .v3_1_1
    if input[0] & 8 != 0 {
      options.will = MQTTWill(topic: "will", payload: [1], qos: .exactlyOnce, retain: true)
    }
    if input[0] & 64 != 0 {
      options.dropPolicy = input[0] & 128 == 0 ? .lowestPriority : .newest
      disk = Session.disk([:], input[1])
    }
    self.options = options
    client = Session.client(options, disk)
  }

  private static func disk(_ records: [UInt64: [UInt8]], _ byte: UInt8) -> StoreInMemory {
    let disk = StoreInMemory(records)
    disk.capacity = 100 + Int(byte) * 8
    return disk
  }

  private static func client(_ options: MQTTClientOptions, _ disk: StoreInMemory?) -> MQTTClient {
    do throws(MQTTOptionsError) {
      return try MQTTClient(options, store: disk)
    } catch {
      fatalError("these options are valid")
    }
  }

  private mutating func byte() -> UInt8 {
    guard next < input.count else { return 0 }
    next += 1
    return input[next - 1]
  }

  mutating func run() {
    client.start(now: now)
    while next < input.count {
      act(byte())
      service()
    }
    rest()
  }

  private mutating func act(_ choice: UInt8) {
    switch choice % 14 {
    case 0, 1: receive(take(Int(byte())))
    case 2: receive(connack())
    case 3: receive([[0x40, 0x50, 0x62, 0x70][Int(byte() & 3)], 2, 0, byte() & 15])
    case 4: receive(suback())
    case 5: receive(publish())
    case 6: pass(UInt64(byte()) * 100)
    case 7: send()
    case 8: subscribe()
    case 9: write(Int(byte()))
    case 10: pull()
    case 11:
      isOpen = false
      wire = Wire()
      client.transportClosed(now: now)
    case 12:
      client.disconnect(now: now)
      if choice & 0x80 != 0 { client.start(now: now) }
    default:
      if choice & 0x80 != 0, let disk { touch(disk) } else { unsubscribe() }
    }
  }

  private mutating func touch(_ disk: StoreInMemory) {
    let choice = byte()
    switch choice & 7 {
    case 0, 1: disk.isSlow = true
    case 2, 3:
      disk.isSlow = false
      // As the store's own thread does.
      commit()
    case 4:
      disk.failsOnce = choice & 8 == 0 ? .failed : .diskFull
      balance.isOpen = true
    default:
      // Another process goes on with what it finds.
      var records = disk.committed
      if choice & 0x40 != 0 { damage(&records) }
      let next = Session.disk(records, byte())
      self.disk = next
      client = Session.client(options, next)
      balance.isOpen = true
      subscriptions = []
      isOpen = false
      wire = Wire()
      client.start(now: now)
    }
  }

  /// One of the records has another byte in it.
  private mutating func damage(_ records: inout [UInt64: [UInt8]]) {
    let (choice, value) = (Int(byte()), byte())
    let keys = records.keys.filter { records[$0]?.isEmpty == false }.sorted()
    guard !keys.isEmpty, var record = records[keys[choice % keys.count]] else { return }
    record[choice % record.count] = value
    records[keys[choice % keys.count]] = record
  }

  private func commit() {
    do throws(MQTTStoreError) {
      _ = try client.commit()
    } catch {
      // It is told as an event, too.
    }
  }

  private mutating func take(_ count: Int) -> [UInt8] {
    let end = min(input.count, next + count)
    defer { next = end }
    return [UInt8](input[next..<end])
  }

  private var speaksV5: Bool { wire.version == .v5 }

  /// What a server of 5.0 may allow or forbid, and nothing.
  private static let connackProperties: [[UInt8]] = [
    [], [0x21, 0, 1], [0x22, 0, 2], [0x24, 0], [0x25, 0], [0x27, 0, 0, 0, 40], [0x13, 0, 3],
    [0x12, 0, 2, 97, 98], [0x28, 0, 0x29, 0, 0x2A, 0], [0x1F, 0, 1, 97], [0x1C, 0, 1, 97],
    [0x11, 0, 0, 0, 0], [0x15, 0, 1, 97], [0x1A, 0, 1, 97], [0x26, 0, 1, 97, 0, 1, 97], [0x22, 0xFF, 0xFF],
  ]

  private mutating func connack() -> [UInt8] {
    guard speaksV5 else { return [0x20, 2, byte() & 1, byte() & 7] }
    let choice = byte()
    let properties = Session.connackProperties[Int(choice & 15)]
    let code: UInt8 = choice & 0xC0 == 0xC0 ? 0x80 | byte() & 0x1F : 0
    return [0x20, UInt8(3 + properties.count), choice >> 4 & 1, code, UInt8(properties.count)] + properties
  }

  private mutating func suback() -> [UInt8] {
    let choice = byte()
    let codes = (0...choice >> 6).map { _ in byte() & 0x83 }
    let body = [0, choice & 15] + (speaksV5 ? [0] : []) + codes
    // An UNSUBACK of 5.0 has codes, too.
    return [speaksV5 && choice & 0x20 != 0 ? 0xB0 : 0x90, UInt8(body.count)] + body
  }

  /// A message as a server sends it.
  private mutating func publish() -> [UInt8] {
    let qos = byte() % 3
    let payload = take(Int(byte() & 0x3F))
    let packetID: [UInt8] = qos == 0 ? [] : [0, byte() & 7]
    let aliased: [UInt8] = byte() & 1 == 0 ? [0] : [3, 0x23, 0, byte() & 3]
    let topic: [UInt8] = byte() & 4 == 4 ? [0, 0] : [0, 1, 97]
    let body = speaksV5 ? topic + packetID + aliased + payload : [0, 1, 97] + packetID + payload
    return [0x30 | qos << 1 | byte() & 8 * (qos > 0 ? 1 : 0), UInt8(body.count)] + body
  }

  private mutating func receive(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let before = rest.count
      let taken = client.receive([UInt8](rest).span, now: now)
      precondition(taken >= 0 && taken <= rest.count)
      rest.removeFirst(taken)
      pull()
      // Output that nobody takes holds the server back: then these bytes would wait in the socket.
      if rest.count == before { return }
    }
  }

  private mutating func pass(_ milliseconds: UInt64) {
    now += milliseconds
    client.advance(to: now)
    if let deadline = client.nextDeadline, deadline <= now {
      client.advance(to: now)
    }
  }

  private mutating func send() {
    let topic = [UInt8](repeating: 97 + byte() % 3, count: 1 + Int(byte() & 0x1F))
    let payload = take(Int(byte() & 0x3F))
    guard let qos = QoS(rawValue: byte() % 3) else { return }
    let priority = MQTTPriority(rawValue: topic[0] - 97) ?? .normal
    // A Message Expiry Interval.
    let properties: [UInt8] = payload.count & 4 == 0 ? [] : [2, 0, 0, 0, payload.first ?? 0]
    do throws(MQTTPublishError) {
      _ = try client.publish(
        topic: topic.span, payload: payload.span, qos: qos, retain: payload.count & 1 == 1,
        properties: properties.span, durability: payload.count & 2 == 0 ? .memory : .disk(priority))
      if qos > .atMostOnce { balance.taken += 1 }
    } catch {
      switch error {
      case .notConnected, .outputFull, .outboxFull: balance.refused += 1
      case .storeFailed, .tooLarge, .invalidTopic, .invalidProperties, .unsupported: break
      }
    }
  }

  private mutating func subscribe() {
    guard subscriptions.count < 4 else { return }
    let choice = byte()
    guard let qos = QoS(rawValue: choice % 3) else { return }
    let options = MQTTSubscribeOptions(qos: qos)
    do throws(MQTTSubscribeError) {
      let filters = (0...choice >> 6).map { _ in MQTTFilter([97, 47, 98 + byte() % 5], options: options) }
      if filters.count == 1 {
        let filter = filters[0].bytes
        subscriptions.append(try client.subscribe(filter: filter.span, qos: qos))
      } else {
        subscriptions += try client.subscribe(filters)
      }
    } catch {
      fatalError("the filter is valid")
    }
  }

  private mutating func unsubscribe() {
    guard !subscriptions.isEmpty else { return }
    if byte() & 1 == 0 { return client.unsubscribe(subscriptions.removeFirst()) }
    client.unsubscribe(subscriptions)
    subscriptions = []
  }

  /// Writes at most that many bytes.
  private mutating func write(_ most: Int) {
    var written: [UInt8] = []
    client.withOutput { bytes in
      let count = min(bytes.count, most)
      for index in 0..<count { written.append(bytes[index]) }
      return count
    }
    wire.append(written)
  }

  private mutating func pull() {
    // Each event takes bytes or tells of something that happened: far fewer than this.
    for _ in 0..<2_000 {
      guard let event = client.nextEvent(now: now) else { return }
      if case .message(let message) = event { read(message) }
      if case .oversized(let message, _) = event { read(message) }
      switch event {
      case .published, .publishFailed: balance.told += 1
      default: break
      }
    }
    fatalError("events without end")
  }

  private func read(_ message: MQTTMessage) {
    client.withMessage(message) { topic, payload in
      var sum = 0
      for index in topic.indices { sum &+= Int(topic[index]) }
      for index in payload.indices { sum &+= Int(payload[index]) }
      precondition(sum >= 0)
    }
  }

  /// Does what the client asks the owner of the socket for.
  private mutating func service() {
    switch client.transportRequest {
    case .none: break
    case .open:
      precondition(!isOpen)
      isOpen = true
      wire = Wire()
      client.transportOpened(now: now)
      precondition(client.hasOutput, "CONNECT comes first")
    case .close:
      isOpen = false
      wire = Wire()
      client.transportClosed(now: now)
    }
    pull()
    balance.check(client)
  }

  /// Left alone with a dead server the client gives up and is quiet.
  private mutating func rest() {
    client.disconnect(now: now)
    for _ in 0..<20 {
      pull()
      if client.transportRequest != .none { client.transportClosed(now: now) }
      guard let deadline = client.nextDeadline else { break }
      now = max(now, deadline)
      client.advance(to: now)
    }
    pull()
    balance.check(client)
    precondition(client.nextDeadline == nil && client.transportRequest == .none && !client.isConnected)
  }
}

/// What was taken is told to have an end, is dropped and counted, or still there.
private struct Balance {
  var taken = 0
  var told = 0
  var refused = 0
  /// A disk has failed, or another process has taken over.
  var isOpen = false

  func check(_ client: MQTTClient) {
    guard !isOpen else { return }
    let dropped = Int(client.counters.dropped) - refused
    precondition(taken == told + dropped + client.unsettled, "a message has come or gone without a word")
  }
}

/// What goes to the server: checked packet by packet.
private struct Wire {
  private var bytes: [UInt8] = []
  private(set) var version: ProtocolVersion?

  mutating func append(_ new: [UInt8]) {
    bytes += new
    do throws(MalformedPacket) {
      while let header = try FixedHeader.decode(bytes.span), bytes.count >= header.packetLength {
        try check(header, [UInt8](bytes[header.length..<header.packetLength]))
        bytes.removeFirst(header.packetLength)
      }
    } catch {
      fatalError("the client wrote a malformed packet")
    }
  }

  private mutating func check(_ header: FixedHeader, _ body: [UInt8]) throws(MalformedPacket) {
    guard let version else {
      precondition(header.type == .connect, "the first packet is CONNECT")
      self.version = try Connect.decode(body.span).version
      return
    }
    switch header.type {
    case .publish where version == .v5: _ = try Publish.decodeV5(body.span, flags: header.flags)
    case .publish: _ = try Publish.decode(body.span, flags: header.flags)
    case .puback, .pubrec, .pubrel, .pubcomp:
      if version == .v5 {
        _ = try ReasonedAcknowledgement.decode(body.span, of: header.type)
      } else {
        _ = try Acknowledgement.decode(body.span)
      }
    case .subscribe:
      var position = try Subscribe.decode(body.span, version: version).first
      while let entry = try Subscribe.entry(body.span, at: position, version: version) {
        position = entry.next
      }
    case .unsubscribe:
      var position = try Unsubscribe.decode(body.span, version: version).first
      while let entry = try Unsubscribe.entry(body.span, at: position) { position = entry.next }
    case .pingreq: try EmptyPacket.check(body.span)
    case .disconnect, .auth: _ = try Reason.decode(body.span, of: header.type)
    default: fatalError("a client does not send this")
    }
  }
}
